// finiteWatch: the first iteration in which a block of parameters or gradients holds a NaN or an infinity
//
//   since[0, b] = min(since[0, b], iteration)   if a gradient of block b is not finite
//   since[1, b] = min(since[1, b], iteration)   if a parameter of block b is not finite
//
// shapes    gradient, parameter: [blocks, 64], as vec4f; since: [2, blocks] u32, initially NEVER
// parallel  one invocation per four elements of both; the invocations of a block share an atomic minimum
// numerics  tests bits: an exponent of all ones is NaN or infinity. Comparisons may take a NaN for a number

struct Params { blocks: u32, iteration: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> parameter: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> since: array<atomic<u32>>;

fn isFinite(v: vec4f) -> bool { return all((bitcast<vec4u>(v) & vec4u(0x7f800000u)) != vec4u(0x7f800000u)); }

@compute @workgroup_size(64)
fn look(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * workgroups.x + wid.x) * 64u + lid;
  if (i >= params.blocks * 16u) { return; }
  let block = i / 16u;
  if (!isFinite(gradient[i])) { atomicMin(&since[block], params.iteration); }
  if (!isFinite(parameter[i])) { atomicMin(&since[params.blocks + block], params.iteration); }
}
