// imageBatch: makes a normalised batch from the packed images of a data set, in the order of a permutation
//
//   item[b]     = order[offset + b]
//   x[row+b,p]  = byte[item[b] * pixels + p] / divisor[c] - shift[c]     divisor = 255 std, shift = mean / std, channel c = p / plane
//   labels[b]   = allLabels[item[b]];   NaN and 2^32 - 1 if item[b] >= count
//   with PAIR, b >= size is image b - size of the next data set's batch, without labels
//
// shapes    images: [ceil(count * pixels / 4)] u32, four pixels per word, the first in the low byte; allLabels: [count];
//           order: [count]; nextImages, nextOrder: the same of the next data set; x: [row + size + nextSize or more, pixels]; labels: [size]
// parallel  one invocation per four neighbouring pixels, and per image for its label
// numerics  bytes are exact; the division and the difference are rounded once each, within WGSL's limits for division

override PAIR = false;
override RGB = false;
override DIVISOR_R = 127.5;
override DIVISOR_G = 127.5;
override DIVISOR_B = 127.5;
override SHIFT_R = 1.0;
override SHIFT_G = 1.0;
override SHIFT_B = 1.0;

struct Params {
  offset: u32, size: u32, pixels: u32, row: u32, count: u32, plane: u32,
  nextOffset: u32, nextSize: u32, nextCount: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read> allLabels: array<u32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;
// Without PAIR, images and order are bound here and not read.
@group(0) @binding(6) var<storage, read> nextImages: array<u32>;
@group(0) @binding(7) var<storage, read> nextOrder: array<u32>;

fn normalised(byte: f32, p: u32) -> f32 {
  if (!RGB || p < params.plane) { return byte / DIVISOR_R - SHIFT_R; }
  if (p < 2u * params.plane) { return byte / DIVISOR_G - SHIFT_G; }
  return byte / DIVISOR_B - SHIFT_B;
}

fn isNext(b: u32) -> bool { return PAIR && b >= params.size; }

fn itemOf(b: u32) -> u32 {
  if (isNext(b)) { return nextOrder[params.nextOffset + b - params.size]; }
  return order[params.offset + b];
}

fn wordOf(b: u32, i: u32) -> u32 {
  if (isNext(b)) { return nextImages[i]; }
  return images[i];
}

fn pixels(first: u32) {
  var b = first / params.pixels;
  var p = first % params.pixels;
  for (var i = first; i < min(first + 4u, (params.size + params.nextSize) * params.pixels); i++) {
    let item = itemOf(b);
    let at = item * params.pixels + p;
    let byte = (wordOf(b, at / 4u) >> (8u * (at % 4u))) & 0xffu;
    let v = normalised(f32(byte), p);
    let count = select(params.count, params.nextCount, isNext(b));
    x[params.row * params.pixels + i] = select(v, bitcast<f32>(0x7fc00000u | (item & 1u)), item >= count);
    p++;
    if (p == params.pixels) { p = 0u; b++; }
  }
}

@compute @workgroup_size(64)
fn unlabelled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  pixels(4u * ((wid.y * groups.x + wid.x) * 64u + lid));
}

@compute @workgroup_size(64)
fn labelled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) {
    let item = order[params.offset + i];
    labels[i] = select(allLabels[item], 0xffffffffu, item >= params.count);
  }
  pixels(4u * i);
}
