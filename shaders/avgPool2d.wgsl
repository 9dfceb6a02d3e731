// avgPool2d: the mean of each window of an image
//
//   forward   y[i,p,q]  = sum x[i, p stride - padding + r, q stride - padding + s] / N[p,q]    over r, s on the image
//   backward  dx[i,h,w] = sum dy[i,p,q] / N[p,q]                                               over the windows that cover (h,w)
//             N[p,q]    = elements of the window on the image and on `counted` rows and columns around it
//
// shapes    x, dx: [images channels, h, w]; y, dy: [images channels, p, q]
// parallel  LOOP outputs per invocation; backward: LOOP pixels, each a sum over the windows that cover it, so no atomics (pool2d.wgsl)
// numerics  sums in f32, row by row

// True if N may be less than kernelSize^2.
override UNEVEN = false;

struct Params { size: u32, h: u32, w: u32, p: u32, q: u32, kernelSize: u32, stride: u32, padding: u32, counted: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

// N
fn count(window: vec2u) -> f32 {
  let size = params.kernelSize;
  if (!UNEVEN) { return f32(size * size); }
  // Places are counted from the first row and column of the padding.
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
    let pixels = pixelsOf(window);
    var sum = 0.0;
    for (var h = pixels.begin.x; h < pixels.end.x; h++) {
      for (var w = pixels.begin.y; w < pixels.end.y; w++) { sum += x[plane + h * params.w + w]; }
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
    let windows = windowsOf(vec2u(i / params.w % params.h, i % params.w));
    var sum = 0.0;
    for (var p = windows.begin.x; p < windows.end.x; p++) {
      for (var q = windows.begin.y; q < windows.end.y; q++) {
        let g = dy[plane + p * params.q + q];
        sum += select(g, g / count(vec2u(p, q)), UNEVEN);
      }
    }
    dx[i] = select(sum / count(vec2u()), sum, UNEVEN);
  }
}
