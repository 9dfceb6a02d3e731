// adam: Adam, AdamW and AMSGrad over one flat buffer of parameters
//
//   d[i] = gradient[i] + weightDecay parameter[i]          decoupled: d = gradient, parameter[i] *= 1 - lr weightDecay first
//   m[i] = beta1 m[i] + (1 - beta1) d[i]
//   v[i] = beta2 v[i] + (1 - beta2) d[i]^2                 amsgrad: divides by the largest v[i] so far in place of v[i]
//   parameter[i] -= lr / (1 - beta1^t) m[i] / (sqrt(v[i]) / sqrt(1 - beta2^t) + eps)     t: steps of this parameter, from 1
//
// shapes    gradient, parameter, mean (m), square (v), largest: [blocks, 64], four elements a vector; groupOfBlock: [blocks];
//           counts: [2, blocks]; groups: [groups, 2], multiplier of lr and weightDecay. A block belongs to one parameter;
//           group ABSENT: no gradient
// parallel  one invocation four elements; the first of a block keeps the block's count of steps
// numerics  1 - beta^t = -expm1(t log beta), by its series where the difference would cancel; 1 - beta comes from the host.
//           A step reads counts[run % 2] and writes the other half, so no invocation reads what another one writes.
//           Zero padding stays zero. A NaN stays in largest: max may turn it into a number

const ABSENT = 0xffffffffu;

struct Params {
  blocks: u32, run: u32, lr: f32,
  beta1: f32, beta2: f32, oneMinusBeta1: f32, oneMinusBeta2: f32, logBeta1: f32, logBeta2: f32,
  eps: f32, decoupled: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groupOfBlock: array<u32>;
@group(0) @binding(2) var<storage, read> groups: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;
@group(0) @binding(4) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> square: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> largest: array<vec4f>;

// Steps that the block has seen before this one, which is counted if the gradient is present.
fn countStep(i: u32, present: bool) -> u32 {
  let block = i / 16u;
  let half = params.run & 1u;
  let before = counts[half * params.blocks + block];
  if (i % 16u == 0u) { counts[(1u - half) * params.blocks + block] = before + u32(present); }
  return before;
}

// 1 - exp(x) for x <= 0
fn oneMinusExp(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  return -x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0))))));
}

// The decayed parameter and what its gradient is after that; updates both means.
struct Moments { parameter: vec4f, m: vec4f, v: vec4f }
fn moments(i: u32, group: vec2f) -> Moments {
  var p = parameter[i];
  var d = gradient[i];
  if (params.decoupled != 0u) { p *= 1.0 - params.lr * group.x * group.y; } else { d += group.y * p; }
  let m = params.beta1 * mean[i] + params.oneMinusBeta1 * d;
  let v = params.beta2 * square[i] + params.oneMinusBeta2 * d * d;
  mean[i] = m;
  square[i] = v;
  return Moments(p, m, v);
}

fn updated(p: vec4f, m: vec4f, v: vec4f, step: f32, multiplier: f32) -> vec4f {
  let size = params.lr * multiplier / oneMinusExp(step * params.logBeta1);
  return p - size * (m / (sqrt(v) / sqrt(oneMinusExp(step * params.logBeta2)) + params.eps));
}

@compute @workgroup_size(64)
fn step(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * workgroups.x + wid.x) * 64u + lid;
  if (i >= params.blocks * 16u) { return; }
  let group = groupOfBlock[i / 16u];
  let before = countStep(i, group != ABSENT);
  if (group == ABSENT) { return; }
  let now = moments(i, groups[group]);
  parameter[i] = updated(now.parameter, now.m, now.v, f32(before + 1u), groups[group].x);
}

@compute @workgroup_size(64)
fn amsgrad(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * workgroups.x + wid.x) * 64u + lid;
  if (i >= params.blocks * 16u) { return; }
  let group = groupOfBlock[i / 16u];
  let before = countStep(i, group != ABSENT);
  if (group == ABSENT) { return; }
  let now = moments(i, groups[group]);
  let nan = (bitcast<vec4u>(now.v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  let most = select(max(largest[i], now.v), now.v, nan);
  largest[i] = most;
  parameter[i] = updated(now.parameter, now.m, most, f32(before + 1u), groups[group].x);
}
