// avgPool2d: the mean of each window of an image
//
//   forward   y[i,p,q]  = sum x[i, p stride - padding + r, q stride - padding + s] / N[p,q]    over r, s on the image
//   backward  dx[i,h,w] = sum of dy[i,p,q] / N[p,q] over the windows that cover (h,w)
//             N[p,q]    = the window's elements on the image with `counted` rows and columns on each side
//
// shapes    x, dx: [images channels, h, w]; y, dy: [images channels, p, q]
// parallel  one invocation LOOP times one output, or one pixel of dx, which sums up the windows that cover it: no atomics
// numerics  sums in f32, row after row

override LOOP = 1u;
// Whether N may be less than kernelSize^2.
override UNEVEN = false;

struct Params { size: u32, h: u32, w: u32, p: u32, q: u32, kernelSize: u32, stride: u32, padding: u32, counted: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

// N of a window.
fn count(window: vec2u) -> f32 {
  let size = params.kernelSize;
  if (!UNEVEN) { return f32(size * size); }
  // Counted from the first row and column of the padding.
  let first = window * params.stride;
  let begin = max(first, vec2u(params.padding - params.counted));
  let end = min(first + size, vec2u(params.h, params.w) + params.padding + params.counted);
  return f32((end.x - begin.x) * (end.y - begin.y));
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  for (var k = 0u; k < LOOP; k++) {
    let i = ((wid.y * groups.x + wid.x) * LOOP + k) * 64u + lid;
    if (i >= params.size) { return; }
    let plane = i / params.q / params.p * params.h * params.w;
    let window = vec2u(i / params.q % params.p, i % params.q);
    let padded = window * params.stride;
    let begin = max(padded, vec2u(params.padding)) - params.padding;
    let end = min(padded + params.kernelSize - params.padding, vec2u(params.h, params.w));
    var sum = 0.0;
    for (var h = begin.x; h < end.x; h++) {
      for (var w = begin.y; w < end.y; w++) { sum += x[plane + h * params.w + w]; }
    }
    y[i] = sum / count(window);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  for (var k = 0u; k < LOOP; k++) {
    let i = ((wid.y * groups.x + wid.x) * LOOP + k) * 64u + lid;
    if (i >= params.size) { return; }
    let plane = i / params.w / params.h * params.p * params.q;
    // A window p covers the padded row h if p stride <= h < p stride + kernelSize.
    let padded = vec2u(i / params.w % params.h, i % params.w) + params.padding;
    let first = select(vec2u(), (padded - params.kernelSize) / params.stride + 1u, padded >= vec2u(params.kernelSize));
    let end = min(padded / params.stride + 1u, vec2u(params.p, params.q));
    var sum = 0.0;
    for (var p = first.x; p < end.x; p++) {
      for (var q = first.y; q < end.y; q++) {
        let g = dy[plane + p * params.q + q];
        sum += select(g, g / count(vec2u(p, q)), UNEVEN);
      }
    }
    dx[i] = select(sum / count(vec2u()), sum, UNEVEN);
  }
}
