// anomaly: the first tensor, of all that are looked at one after the other, that holds a NaN or an infinity
//
//   first[0] = min over the looks that find one of their number
//   first[1] = min over its bad elements of their place; first[2], first[3] = how many of them are NaN, how many infinite
//
// shapes    x: [size]; first: [4], NEVER NEVER 0 0 at the beginning
// parallel  one invocation an element; those with a bad one meet in atomics on whole numbers
// numerics  by bits: comparisons may take a NaN for a number. Looks run in order, so only the first that finds anything
//           passes the gate: every later one sees its number

struct Params { size: u32, look: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> first: array<atomic<u32>, 4>;

@compute @workgroup_size(64)
fn look(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  let bits = bitcast<u32>(x[i]) & 0x7fffffffu;
  if (bits < 0x7f800000u || atomicMin(&first[0], params.look) < params.look) { return; }
  atomicMin(&first[1], i);
  atomicAdd(&first[select(2u, 3u, bits == 0x7f800000u)], 1u);
}
