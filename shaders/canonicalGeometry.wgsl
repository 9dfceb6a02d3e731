// canonicalGeometry: brings the one bright object of each grey image to a standard size and place
//
//   v[n,p]       = byte / 255 of pixel p = (column, row) of image n
//   extent[n]    = the longer side of the box around all pixels with v > 1/4, in pixels
//   s[n]         = extent / (5/7 min(height, width));   1 if there is no such pixel
//   (cx, cy)[n]  = sum_p v (column, row) / sum_p v
//   theta[n]     = [s, 0, (2 cx + 1) / width - 1;   0, s, (2 cy + 1) / height - 1]
//   canonical[n,p] = v sampled at placeOf(theta[n], p), outside 0, rounded to a byte
//
// shapes    images, canonical: [ceil(count * height * width / 4)] u32, four pixels per word, the first in the low byte; place: [count, 3],
//           the numbers s and the two shifts of theta
// parallel  measure: one workgroup of 64 lanes per image; resample: one invocation per word
// numerics  MNIST's digits were made in this way: their longer side is 20 of 28 pixels, their centre of mass is the image's centre

struct Params { count: u32, height: u32, width: u32, words: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read_write> place: array<f32>;
@group(0) @binding(3) var<storage, read> placeIn: array<f32>;
@group(0) @binding(4) var<storage, read_write> canonical: array<u32>;

fn pixelAt(i: u32) -> f32 { return f32((images[i / 4u] >> (8u * (i % 4u))) & 0xffu) / 255.0; }

@compute @workgroup_size(WG)
fn measure(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let n = wid.y * groups.x + wid.x;
  let size = vec2u(params.width, params.height);
  let plane = size.x * size.y;
  // Places are counted from the middle, so that the sums stay small.
  let middle = (vec2f(size) - 1.0) / 2.0;
  const NONE = -1e9;
  var first = vec2f(NONE);
  var last = vec2f(NONE);
  var sum = vec3f();
  for (var p = lid; p < plane; p += WG) {
    let v = pixelAt(min(n, params.count - 1u) * plane + p);
    let at = vec2f(vec2u(p % size.x, p / size.x)) - middle;
    sum += vec3f(v, v * at);
    if (v > 0.25) {
      first = max(first, -at);
      last = max(last, at);
    }
  }
  let sides = vec2f(rowMax(lid, last.x) + rowMax(lid, first.x), rowMax(lid, last.y) + rowMax(lid, first.y)) + 1.0;
  let mass = max(rowSum(lid, sum.x), 1e-6);
  let centre = vec2f(rowSum(lid, sum.y), rowSum(lid, sum.z)) / mass;
  if (lid != 0u || n >= params.count) { return; }
  let extent = max(sides.x, sides.y);
  place[3u * n] = select(1.0, extent / (f32(min(size.x, size.y)) * 5.0 / 7.0), extent > 0.0);
  place[3u * n + 1u] = 2.0 * centre.x / f32(size.x);
  place[3u * n + 2u] = 2.0 * centre.y / f32(size.y);
}

@compute @workgroup_size(WG)
fn resample(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let word = (wid.y * groups.x + wid.x) * WG + lid;
  if (word >= params.words) { return; }
  let size = vec2u(params.width, params.height);
  let plane = size.x * size.y;
  var bytes = 0u;
  for (var i = 0u; i < 4u; i++) {
    let n = (4u * word + i) / plane;
    // The last word may have bytes to spare.
    if (n >= params.count) { break; }
    let p = 4u * word + i - n * plane;
    let t = 3u * n;
    let at = placeOf(vec3f(placeIn[t], 0.0, placeIn[t + 1u]), vec3f(0.0, placeIn[t], placeIn[t + 2u]), vec2u(p % size.x, p / size.x), size);
    bytes |= u32(round(255.0 * sampled(n, at, size))) << (8u * i);
  }
  canonical[word] = bytes;
}
