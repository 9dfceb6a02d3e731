// optimizer: shared by sgd and adam: the flat buffers of an optimiser, how many steps each parameter has seen, and the first
// update in which a block held a NaN or an infinity
//
//   steps[block] = steps[block] + 1 if the block's parameter has a gradient
//   notFinite[block] = min(notFinite[block], run) if an element of the gradient, or of the updated parameter, is not finite
//
// shapes    gradient, parameter: [blocks, 64], four elements per vector; a block belongs to one parameter. groupOfBlock: [blocks],
//           ABSENT if the parameter has no gradient; groups: [groups, 2] of (multiplier of lr, weightDecay);
//           counts: [4, blocks] of steps, steps, and notFinite of gradients and of parameters
// parallel  one invocation per vector of four elements; the first of a block updates the block's count
// numerics  a step reads counts[run % 2] and writes the other one, so no invocation reads a count that another one writes. A NaN or
//           an infinity is found by its bits, an exponent of all ones: comparisons may take a NaN for a number

const ABSENT = 0xffffffffu;

@group(0) @binding(1) var<storage, read> groupOfBlock: array<u32>;
@group(0) @binding(2) var<storage, read> groups: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> parameter: array<vec4f>;

// The vector `i` that an invocation updates, if `applies`: its learning rate, weight decay, and the steps before this one.
struct Update { applies: bool, i: u32, lr: f32, weightDecay: f32, stepsBefore: u32 }

fn begin(workgroup: u32, lid: u32) -> Update {
  let i = workgroup * 64u + lid;
  let block = i / 16u;
  if (block >= params.blocks) { return Update(); }
  let group = groupOfBlock[block];
  let half = params.run & 1u;
  let before = atomicLoad(&counts[half * params.blocks + block]);
  if (i % 16u == 0u) { atomicStore(&counts[(1u - half) * params.blocks + block], before + u32(group != ABSENT)); }
  if (group == ABSENT) { return Update(); }
  return Update(true, i, params.lr * groups[group].x, groups[group].y, before);
}

fn isFinite(v: vec4f) -> bool { return all((bitcast<vec4u>(v) & vec4u(0x7f800000u)) != vec4u(0x7f800000u)); }

// Writes the updated parameter, and notes if it or its gradient g is not finite.
fn finish(u: Update, g: vec4f, updated: vec4f) {
  parameter[u.i] = updated;
  let block = u.i / 16u;
  if (!isFinite(g)) { atomicMin(&counts[2u * params.blocks + block], params.run); }
  if (!isFinite(updated)) { atomicMin(&counts[3u * params.blocks + block], params.run); }
}
