// sgd: stochastic gradient descent over one flat buffer of parameters
//
//   d[i] = gradient[i] + weightDecay parameter[i]
//   b[i] = d[i] at a parameter's first step, then momentum b[i] + (1 - dampening) d[i]
//   parameter[i] -= lr multiplier (nesterov ? d[i] + momentum b[i] : b[i])          plain: lr multiplier d[i]
//
// shapes    gradient, parameter, buffer (b): [blocks, 64], four elements a vector; groupOfBlock: [blocks]; counts: [2, blocks];
//           groups: [groups, 2], multiplier and weightDecay. A block belongs to one parameter; group ABSENT: no gradient
// parallel  one invocation four elements; the first of a block keeps the block's count of steps
// numerics  a step reads counts[run % 2] and writes the other half, so no invocation reads what another one writes;
//           zero padding stays zero

const ABSENT = 0xffffffffu;

struct Params { blocks: u32, lr: f32, momentum: f32, dampening: f32, nesterov: u32, run: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groupOfBlock: array<u32>;
@group(0) @binding(2) var<storage, read> groups: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;
@group(0) @binding(4) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> buffer: array<vec4f>;

// Steps that the block has seen before this one, which is counted if the gradient is present.
fn countStep(i: u32, present: bool) -> u32 {
  let block = i / 16u;
  let half = params.run & 1u;
  let before = counts[half * params.blocks + block];
  if (i % 16u == 0u) { counts[(1u - half) * params.blocks + block] = before + u32(present); }
  return before;
}

@compute @workgroup_size(64)
fn plain(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * workgroups.x + wid.x) * 64u + lid;
  if (i >= params.blocks * 16u) { return; }
  let group = groupOfBlock[i / 16u];
  _ = countStep(i, group != ABSENT);
  if (group == ABSENT) { return; }
  let d = gradient[i] + groups[group].y * parameter[i];
  parameter[i] -= params.lr * groups[group].x * d;
}

@compute @workgroup_size(64)
fn momentum(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * workgroups.x + wid.x) * 64u + lid;
  if (i >= params.blocks * 16u) { return; }
  let group = groupOfBlock[i / 16u];
  let before = countStep(i, group != ABSENT);
  if (group == ABSENT) { return; }
  let d = gradient[i] + groups[group].y * parameter[i];
  var b = d;
  if (before > 0u) { b = params.momentum * buffer[i] + (1.0 - params.dampening) * d; }
  buffer[i] = b;
  if (params.nesterov != 0u) { b = d + params.momentum * b; }
  parameter[i] -= params.lr * groups[group].x * b;
}
