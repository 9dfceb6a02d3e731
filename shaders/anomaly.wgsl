// anomaly: finds the first tensor that holds a NaN or an infinity, among tensors checked one after the other
//
//   first[0] = number of the first check that finds a bad element
//   first[1] = smallest index of a bad element in that tensor
//   first[2] = number of its elements that are NaN; first[3] = number of its elements that are infinite
//
// shapes    x: [size]; first: u32 [4], initially NEVER NEVER 0 0
// parallel  one invocation per element; invocations with a bad element share atomics
// numerics  tests bits, because comparisons may take a NaN for a number. Checks run in order: once one has set first[0],
//           later ones see its number and change nothing

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
