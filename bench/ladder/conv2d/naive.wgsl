// naive: one invocation per element of y, as in the formula
//
//   y[n,o,p,q] = bias[o] + sum_crs weight[o,c,r,s] x[n,c,p+r,q+s]
//
// Each pixel is read once for each of its r s taps and each of the o channels, and each weight once for each of the n p q output
// pixels: two loads per multiply-add.
//
// shapes    x: [images, c, h, w], weight: [o, c, r, s], bias: [o], y: [images, o, p, q]
// parallel  one element of y per invocation, neighbours along q
// numerics  one running sum over c, r, s

struct Params { images: u32, c: u32, h: u32, w: u32, o: u32, p: u32, q: u32, r: u32, s: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= arrayLength(&y)) { return; }
  let q = i % params.q;
  let p = i / params.q % params.p;
  let o = i / (params.q * params.p) % params.o;
  let image = i / (params.q * params.p * params.o);
  var sum = bias[o];
  for (var c = 0u; c < params.c; c++) {
    for (var r = 0u; r < params.r; r++) {
      for (var s = 0u; s < params.s; s++) {
        let pixel = x[((image * params.c + c) * params.h + p + r) * params.w + q + s];
        sum += weight[((o * params.c + c) * params.r + r) * params.s + s] * pixel;
      }
    }
  }
  y[i] = sum;
}
