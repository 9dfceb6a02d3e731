// naive: one invocation per element of y, as in the formula
//
//   y[r,c] = sum_k a[r,k] b[k,c]
//
// Each element of a is read n times and each element of b m times, from the memory system: two loads per multiply-add.
//
// shapes    a: [m, k], b: [k, n], y: [m, n], any sizes
// parallel  8 x 8 elements of y per workgroup
// numerics  one running sum over k

struct Params { m: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(8, 8)
fn product(@builtin(global_invocation_id) id: vec3u) {
  if (id.y >= params.m || id.x >= params.n) { return; }
  var sum = 0.0;
  for (var k = 0u; k < params.k; k++) { sum += a[id.y * params.k + k] * b[k * params.n + id.x]; }
  y[id.y * params.n + id.x] = sum;
}
