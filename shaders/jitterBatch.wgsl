// jitterBatch: makes a batch of packed images as imageBatch does, each image moved and recoloured at random
//
//   item[b]    = order[offset + b]
//   r[b,k]     = random number k of image b, uniform in [-1, 1)
//   theta[b]   = [m cos a / sx,  (shear r3 - sin a) / sy,  2 translate r4]      a = rotation r0,  sx = 1 + scale r1,  sy = 1 + scale r2
//                [m sin a / sx,  cos a / sy,               2 translate r5]      m = -1 with probability flip, else 1
//   v[b,c,p]   = pixels of item[b], byte / 255, sampled at placeOf(theta[b], p)
//   v          = grey + (1 + saturation r7) (v - grey)                          grey = 0.299 red + 0.587 green + 0.114 blue; colour images only
//   v          = 0.5 + (1 + contrast r8) (v - 0.5) + brightness r9 + channelShift r[10+c], clamped to [0, 1]
//   x[row+b,c,p] = (v - mean[c]) / std[c];   labels[b] = allLabels[item[b]];   NaN and 2^32 - 1 if item[b] >= count
//
// shapes    images: [ceil(count * channels * height * width / 4)] u32, four pixels per word, the first in the low byte; order: [count];
//           allLabels: [count]; x: [row + size or more, channels, height, width]; labels: [size]
// parallel  one workgroup per PIXELS pixels of an image; its lanes draw the numbers of the image, then take pixels in turn
// numerics  theta maps output to input, in units of half an image; for an oblong image its off-diagonal terms are scaled by the ratio of
//           the sides, so that a rotation keeps angles. Flip and zeros act on bytes, so pixels outside are black

override RGB = false;
const PIXELS = 256u;
const NUMBERS = 16u;

struct Params {
  offset: u32, size: u32, height: u32, width: u32, row: u32, count: u32, draw: u32, seed: u32,
  rotation: f32, scale: f32, shear: f32, translate: f32, flip: f32,
  saturation: f32, contrast: f32, brightness: f32, channelShift: f32,
  meanR: f32, meanG: f32, meanB: f32, stdR: f32, stdG: f32, stdB: f32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read> allLabels: array<u32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;

var<workgroup> r: array<f32, NUMBERS>;

fn pixelAt(i: u32) -> f32 { return f32((images[i / 4u] >> (8u * (i % 4u))) & 0xffu) / 255.0; }

fn recoloured(v: vec3f) -> vec3f {
  var y = v;
  if (RGB) { y = mix(vec3f(dot(v, vec3f(0.299, 0.587, 0.114))), v, 1.0 + params.saturation * r[7]); }
  y = 0.5 + (1.0 + params.contrast * r[8]) * (y - 0.5) + params.brightness * r[9] + params.channelShift * vec3f(r[10], r[11], r[12]);
  return (clamp(y, vec3f(), vec3f(1.0)) - vec3f(params.meanR, params.meanG, params.meanB)) / vec3f(params.stdR, params.stdG, params.stdB);
}

// Cosine and sine, to a few units in the last place. WGSL's own may be wrong by 2^-11, a tenth of a pixel in an image of 200.
fn cosSin(a: f32) -> vec2f {
  let turns = round(a * 0.63661977);
  let x = (a - turns * 1.5707964) + turns * 4.371139e-8;
  let x2 = x * x;
  let c = 1.0 + x2 * (-0.5 + x2 * (0.041666668 + x2 * (-0.0013888889 + x2 * 2.4801587e-5)));
  let s = x * (1.0 + x2 * (-0.16666667 + x2 * (0.008333334 + x2 * (-0.0001984127 + x2 * 2.7557319e-6))));
  let quarter = u32(i32(turns)) & 3u;
  let turned = select(vec2f(c, s), vec2f(-s, c), (quarter & 1u) == 1u);
  return select(turned, -turned, quarter >= 2u);
}

fn jitter(group: u32, lid: u32) {
  let size = vec2u(params.width, params.height);
  let plane = size.x * size.y;
  let pieces = (plane + PIXELS - 1u) / PIXELS;
  let b = group / pieces;
  if (lid < NUMBERS) { r[lid] = 2.0 * random(vec3u(NUMBERS * b + lid, params.draw, params.seed)) - 1.0; }
  workgroupBarrier();
  if (b >= params.size) { return; }
  let turn = cosSin(params.rotation * r[0]);
  let mirror = select(1.0, -1.0, r[6] < 2.0 * params.flip - 1.0);
  let scale = 1.0 + params.scale * vec2f(r[1], r[2]);
  let shift = 2.0 * params.translate * vec2f(r[4], r[5]);
  let ratio = f32(size.y) / f32(size.x);
  let thetaU = vec3f(mirror * turn.x / scale.x, ratio * (params.shear * r[3] - turn.y) / scale.y, shift.x);
  let thetaV = vec3f(mirror * turn.y / (ratio * scale.x), turn.x / scale.y, shift.y);

  let item = order[params.offset + b];
  let channels = select(1u, 3u, RGB);
  let none = bitcast<f32>(0x7fc00000u | (item & 1u));
  let end = min(group % pieces * PIXELS + PIXELS, plane);
  for (var p = group % pieces * PIXELS + lid; p < end; p += 64u) {
    let place = placeOf(thetaU, thetaV, vec2u(p % size.x, p / size.x), size);
    var v = vec3f(sampled(item * channels, place, size));
    if (RGB) { v = vec3f(v.x, sampled(item * 3u + 1u, place, size), sampled(item * 3u + 2u, place, size)); }
    v = select(recoloured(v), vec3f(none), item >= params.count);
    let at = (params.row + b) * channels * plane + p;
    x[at] = v.x;
    if (RGB) {
      x[at + plane] = v.y;
      x[at + 2u * plane] = v.z;
    }
  }
}

@compute @workgroup_size(64)
fn unlabelled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  jitter(wid.y * groups.x + wid.x, lid);
}

@compute @workgroup_size(64)
fn labelled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) {
    let item = order[params.offset + i];
    labels[i] = select(allLabels[item], 0xffffffffu, item >= params.count);
  }
  jitter(wid.y * groups.x + wid.x, lid);
}
