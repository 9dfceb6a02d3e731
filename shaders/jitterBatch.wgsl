// jitterBatch: makes a batch of packed images as imageBatch does, each image moved, bent, blurred and recoloured at random
//
//   item[b]    = order[offset + b]
//   r[b,k]     = random number k of image b, uniform in [-1, 1)
//   s          = (1 + scale r1) zoom^r13 aspect^r14,  (1 + scale r2) zoom^r13 / aspect^r14         width and height
//   theta[b]   = [m cos a / s.x,  (shear r3 - sin a) / s.y,  2 translate r4]        a = rotation r0
//                [m sin a / s.x,  cos a / s.y,               2 translate r5]        m = -1 with probability flip, else 1
//   bend[b,p]  = elastic times 5 x 5 random vectors (r17 to r41, r42 to r66), enlarged to the image (bicubic, as PyTorch's with
//                align_corners = true), in widths and heights of the image
//   v[b,c,p]   = pixels of item[b], byte / 255, sampled at placeOf(theta[b], p) + bend[b,p]
//   v          = v + blur (1 + r15) / 2 (mean of v over 3 x 3 pixels, the image's border repeated - v)
//   v          = gain^r16 v
//   v          = grey + (1 + saturation r7) (v - grey)                          grey = 0.299 red + 0.587 green + 0.114 blue; colour images only
//   v          = 0.5 + (1 + contrast r8) (v - 0.5) + brightness r9 + channelShift r[10+c], clamped to [0, 1]
//   x[row+b,c,p] = (v - mean[c]) / std[c];   labels[b] = allLabels[item[b]];   NaN and 2^32 - 1 if item[b] >= count
//
// shapes    images: [ceil(count * channels * height * width / 4)] u32, four pixels per word, the first in the low byte; order: [count];
//           allLabels: [count]; x: [row + size or more, channels, height, width]; labels: [size]
// parallel  one workgroup per TILE x TILE pixels of an image; its lanes draw the numbers of the image, enlarge the field along columns,
//           sample the tile and the pixels around it into workgroup memory, and then blur and recolour the tile's
// numerics  theta maps output to input, in units of half an image; for an oblong image its off-diagonal terms are scaled by the ratio of
//           the sides, so that a rotation keeps angles. Flip and zeros act on bytes, so pixels outside are black

override CHANNELS = 1u;
// CHANNELS SIDE SIDE.
override TILE_SIZE = 1156u;
const TILE = 32u;
const SIDE = TILE + 2u;
const GRID = 5u;
const FIELD = 17u;
const NUMBERS = FIELD + 2u * GRID * GRID;

struct Params {
  offset: u32, size: u32, height: u32, width: u32, row: u32, count: u32, draw: u32, seed: u32,
  rotation: f32, scale: f32, logZoom: f32, logAspect: f32, shear: f32, translate: f32, flip: f32, elastic: f32,
  blur: f32, logGain: f32, saturation: f32, contrast: f32, brightness: f32, channelShift: f32,
  meanR: f32, meanG: f32, meanB: f32, stdR: f32, stdG: f32, stdB: f32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read> allLabels: array<u32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;

var<workgroup> r: array<f32, NUMBERS>;
// The field between its own rows, for each row of the tile and the pixels around it.
var<workgroup> field: array<vec2f, SIDE * GRID>;
// The tile and the pixels around it, plane by plane.
var<workgroup> tile: array<f32, TILE_SIZE>;

fn pixelAt(i: u32) -> f32 { return f32((images[i / 4u] >> (8u * (i % 4u))) & 0xffu) / 255.0; }

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

// Weights of the four nearest points of a grid, at t of the way from the second to the third (cubic convolution, a = -0.75).
fn cubic(t: f32) -> vec4f {
  let near = vec2f(t, 1.0 - t);
  let far = near + 1.0;
  let inner = (1.25 * near - 2.25) * near * near + 1.0;
  let outer = ((-0.75 * far + 3.75) * far - 6.0) * far + 3.0;
  return vec4f(outer.x, inner, outer.y);
}

// The place of a row or column of the image in the grid of the field.
fn placeInGrid(i: u32, size: u32) -> f32 { return f32(i) * f32(GRID - 1u) / max(f32(size) - 1.0, 1.0); }

fn nearest(at: f32, step: i32) -> u32 { return u32(clamp(i32(at) + step, 0, i32(GRID) - 1)); }

fn enlargeColumn(row: u32, column: u32, height: u32) -> vec2f {
  let at = placeInGrid(row, height);
  let weights = cubic(fract(at));
  var sum = vec2f();
  for (var j = 0; j < 4; j++) {
    let k = FIELD + GRID * nearest(at, j - 1) + column;
    sum += weights[j] * vec2f(r[k], r[k + GRID * GRID]);
  }
  return sum;
}

// How far a pixel's place is bent away, in pixels. row: of the tile and the pixels around it.
fn bend(row: u32, column: u32, size: vec2u) -> vec2f {
  let at = placeInGrid(column, size.x);
  let weights = cubic(fract(at));
  var sum = vec2f();
  for (var i = 0; i < 4; i++) { sum += weights[i] * field[row * GRID + nearest(at, i - 1)]; }
  return params.elastic * vec2f(size) * sum;
}

// A pixel of the tile, blurred and multiplied by the gain. extent: columns and rows in the tile; beyond them the border of the image is repeated.
fn pixelOf(plane: u32, at: vec2u, extent: vec2u) -> f32 {
  let own = tile[plane + at.y * SIDE + at.x];
  var blurred = own;
  if (params.blur > 0.0) {
    let x = vec3u(max(at.x, 1u) - 1u, at.x, min(at.x + 1u, extent.x - 1u));
    let y = SIDE * vec3u(max(at.y, 1u) - 1u, at.y, min(at.y + 1u, extent.y - 1u));
    var sum = 0.0;
    for (var j = 0; j < 3; j++) {
      for (var i = 0; i < 3; i++) { sum += tile[plane + y[j] + x[i]]; }
    }
    blurred = mix(own, sum / 9.0, params.blur * (0.5 + 0.5 * r[15]));
  }
  return exp(params.logGain * r[16]) * blurred;
}

// Place i of a rectangle, row by row. A quotient of small whole numbers is exact in this way, and cheaper than a division.
fn placeIn(i: u32, width: u32, inverse: f32) -> vec2u {
  let row = u32((f32(i) + 0.5) * inverse);
  return vec2u(i - row * width, row);
}

fn recoloured(v: vec3f) -> vec3f {
  var y = v;
  if (CHANNELS == 3u) { y = mix(vec3f(dot(v, vec3f(0.299, 0.587, 0.114))), v, 1.0 + params.saturation * r[7]); }
  y = 0.5 + (1.0 + params.contrast * r[8]) * (y - 0.5) + params.brightness * r[9] + params.channelShift * vec3f(r[10], r[11], r[12]);
  return (clamp(y, vec3f(), vec3f(1.0)) - vec3f(params.meanR, params.meanG, params.meanB)) / vec3f(params.stdR, params.stdG, params.stdB);
}

fn jitter(group: u32, lid: u32) {
  let size = vec2u(params.width, params.height);
  let tiles = (size + TILE - 1u) / TILE;
  let b = group / (tiles.x * tiles.y);
  let first = TILE * vec2u(group % tiles.x, group / tiles.x % tiles.y);
  let numbers = select(FIELD, NUMBERS, params.elastic > 0.0);
  for (var k = lid; k < numbers; k += 64u) { r[k] = 2.0 * random(vec3u(NUMBERS * b + k, params.draw, params.seed)) - 1.0; }
  workgroupBarrier();
  let turn = cosSin(params.rotation * r[0]);
  let mirror = select(1.0, -1.0, r[6] < 2.0 * params.flip - 1.0);
  let zoom = params.logZoom * r[13];
  let aspect = params.logAspect * r[14];
  let scale = (1.0 + params.scale * vec2f(r[1], r[2])) * exp(vec2f(zoom + aspect, zoom - aspect));
  let shift = 2.0 * params.translate * vec2f(r[4], r[5]);
  let ratio = f32(size.y) / f32(size.x);
  let thetaU = vec3f(mirror * turn.x / scale.x, ratio * (params.shear * r[3] - turn.y) / scale.y, shift.x);
  let thetaV = vec3f(mirror * turn.y / (ratio * scale.x), turn.x / scale.y, shift.y);

  // The tile and the pixels around it, as far as the image goes.
  let low = max(first, vec2u(1u)) - 1u;
  let extent = min(first + TILE + 1u, size) - low;
  if (params.elastic > 0.0) {
    for (var i = lid; i < extent.y * GRID; i += 64u) { field[i] = enlargeColumn(low.y + i / GRID, i % GRID, size.y); }
  }
  workgroupBarrier();

  let isImage = b < params.size;
  let item = order[params.offset + min(b, params.size - 1u)];
  let inverse = 1.0 / f32(extent.x);
  for (var i = lid; i < extent.x * extent.y; i += 64u) {
    let at = placeIn(i, extent.x, inverse);
    var place = placeOf(thetaU, thetaV, low + at, size);
    if (params.elastic > 0.0) { place += bend(at.y, low.x + at.x, size); }
    place = padded(place, size);
    for (var c = 0u; c < CHANNELS; c++) { tile[(c * SIDE + at.y) * SIDE + at.x] = sampled(item * CHANNELS + c, place, size); }
  }
  workgroupBarrier();

  let none = bitcast<f32>(0x7fc00000u | (item & 1u));
  let plane = size.x * size.y;
  let own = min(first + TILE, size) - first;
  let inverseOwn = 1.0 / f32(own.x);
  for (var i = lid; i < own.x * own.y; i += 64u) {
    if (!isImage) { break; }
    let pixel = first + placeIn(i, own.x, inverseOwn);
    var v = vec3f(pixelOf(0u, pixel - low, extent));
    if (CHANNELS == 3u) {
      v = vec3f(v.x, pixelOf(SIDE * SIDE, pixel - low, extent), pixelOf(2u * SIDE * SIDE, pixel - low, extent));
    }
    v = select(recoloured(v), vec3f(none), item >= params.count);
    let at = (params.row + b) * CHANNELS * plane + pixel.y * size.x + pixel.x;
    x[at] = v.x;
    if (CHANNELS == 3u) {
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
