// registers: an invocation computes 8 output channels of an output pixel and uses each loaded input pixel for all of them
//
//   sums[k] += weight[o + k,c,r,s] x[n,c,p+r,q+s]
//
// A loaded pixel serves 8 multiply-adds instead of one. All invocations of a workgroup use the same weights, which most devices load
// once for all of them.
//
// shapes    x: [images, c, h, w], weight: [o, c, r, s], bias: [o], y: [images, o, p, q]; o a multiple of 8
// parallel  8 channels of an output pixel per invocation, neighbours along q
// numerics  one running sum over c, r, s for each element

struct Params { images: u32, c: u32, h: u32, w: u32, o: u32, p: u32, q: u32, r: u32, s: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const EACH = 8u;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let places = params.p * params.q;
  if (id.x >= params.images * places) { return; }
  let image = id.x / places;
  let p = id.x % places / params.q;
  let q = id.x % params.q;
  let o = EACH * id.y;
  let taps = params.c * params.r * params.s;
  var sums: array<f32, EACH>;
  for (var k = 0u; k < EACH; k++) { sums[k] = bias[o + k]; }
  var tap = o * taps;
  for (var c = 0u; c < params.c; c++) {
    for (var r = 0u; r < params.r; r++) {
      for (var s = 0u; s < params.s; s++) {
        let pixel = x[((image * params.c + c) * params.h + p + r) * params.w + q + s];
        for (var k = 0u; k < EACH; k++) { sums[k] += weight[tap + k * taps] * pixel; }
        tap++;
      }
    }
  }
  for (var k = 0u; k < EACH; k++) { y[(image * params.o + o + k) * places + id.x % places] = sums[k]; }
}
