// conv2d.inputGrad: the operands of the gradient of a convolution's input
//
//   dx[c, hwn] = sum_rso weight[rso, c] dy[rso, hwn]         rows c, columns hwn, k = rso
//   dy[rso, hwn] = dy[n,o,p,q] with h + padH - r dilationH = p strideH and w + padW - s dilationW = q strideW; 0 if there is none
//
// shapes    weight: [o, c, r, s], dy: [images, o, p, q]; per tap r,s, k has o steps, rounded up to a multiple of 4
// parallel  called by a GEMM kernel. Neighbouring columns are the same pixel of several images, so a tile can skip the taps that
//           none of its pixels uses. With IMAGE_BY_IMAGE they are pixels of one image, which GPUs load faster
// numerics  exact: numbers are passed on unchanged

override IMAGE_BY_IMAGE = false;
override STRIDED = true; // whether a stride is not 1: only then the loads divide by it

@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;

struct Pixels { h: vec4i, w: vec4i, image: vec4u }

fn rowsOf(row: u32) -> u32 { return row * params.r * params.s; }
fn colsOf(col: u32) -> Pixels {
  var pixels: Pixels;
  var at = columnAt(col);
  for (var i = 0u; i < 4u; i++) {
    let pixel = pixelOf(at);
    pixels.h[i] = i32(pixel.y + params.padH);
    pixels.w[i] = i32(pixel.z + params.padW);
    pixels.image[i] = pixel.x * params.o * params.p * params.q;
    at = columnAfter(at);
  }
  return pixels;
}

// A column's number as three indices, the column after it, and the pixel that it is: image, row, column.
fn columnAt(col: u32) -> vec3u {
  if (IMAGE_BY_IMAGE) { return place(col, params.h, params.w); }
  return place(col, params.w, params.images);
}
fn columnAfter(at: vec3u) -> vec3u {
  if (IMAGE_BY_IMAGE) { return next(at, params.h, params.w); }
  return next(at, params.w, params.images);
}
fn pixelOf(at: vec3u) -> vec3u {
  if (IMAGE_BY_IMAGE) { return at; }
  return at.zxy;
}

// The rows and columns of the kernel that a pixel of this tile uses, one bit each.
struct Taps { rows: u32, cols: u32 }

fn usedK(col: u32) -> Taps {
  var used: Taps;
  if (IMAGE_BY_IMAGE || max(params.r, params.s) > 32u) { return Taps(0xffffffffu, 0xffffffffu); }
  let last = (min(col + 31u, params.n - 1u)) / params.images;
  for (var pixel = col / params.images; pixel <= last; pixel++) {
    let h = i32(pixel / params.w + params.padH);
    let w = i32(pixel % params.w + params.padW);
    for (var r = 0u; r < params.r; r++) {
      used.rows |= u32(outputOf(vec4i(h - i32(r * params.dilationH)), params.strideH, params.p).x >= 0) << r;
    }
    for (var s = 0u; s < params.s; s++) {
      used.cols |= u32(outputOf(vec4i(w - i32(s * params.dilationW)), params.strideW, params.q).x >= 0) << s;
    }
  }
  return used;
}

fn nextK(k: u32, used: Taps) -> u32 {
  let each = (params.o + 3u) / 4u * 4u;
  let tap = k / each;
  var r = tap / params.s;
  var s = tap % params.s;
  let row = (used.rows >> r) & 1u;
  if ((row & (used.cols >> s)) == 1u) { return k; }
  if (row == 0u || (used.cols >> s) == 0u) {
    r += 1u + countTrailingZeros(used.rows >> (r + 1u));
    s = 0u;
  }
  s += countTrailingZeros(used.cols >> s);
  return (r * params.s + s) * each;
}

// The index along y of the window that begins at an index along the padded x; -1 if there is none.
fn outputOf(at: vec4i, stride: u32, size: u32) -> vec4i {
  if (!STRIDED) { return select(vec4i(-1), at, vec4u(at) < vec4u(size)); }
  // Rounded, because a quotient of floats may be slightly less than the integer.
  let steps = vec4i(vec4f(at) / f32(stride) + 0.5);
  return select(vec4i(-1), steps, (steps * i32(stride) == at) & (at >= vec4i()) & (steps < vec4i(i32(size))));
}

fn loadA(row: u32, k: u32) -> mat4x4f {
  var block: mat4x4f;
  let each = (params.o + 3u) / 4u * 4u;
  let taps = params.r * params.s;
  let tap = k / each;
  let o = k % each;
  for (var i = 0u; i < 4u; i++) {
    let at = (o + i) * params.c * taps + row + tap + NEXT * taps;
    let weights = vec4f(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
    block[i] = select(vec4f(), weights, o + i < params.o && k < params.k);
  }
  return block;
}

fn loadB(k: u32, pixels: Pixels) -> mat4x4f {
  var block: mat4x4f;
  let each = (params.o + 3u) / 4u * 4u;
  let tap = k / each;
  let o = k % each;
  let p = outputOf(pixels.h - i32(tap / params.s * params.dilationH), params.strideH, params.p);
  let q = outputOf(pixels.w - i32(tap % params.s * params.dilationW), params.strideW, params.q);
  let size = params.p * params.q;
  for (var i = 0u; i < 4u; i++) {
    let at = pixels.image + (o + i) * size + vec4u(p) * params.q + vec4u(q);
    let dys = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    block[i] = select(vec4f(), dys, (p >= vec4i()) & (q >= vec4i()) & vec4(o + i < params.o && k < params.k));
  }
  return block;
}
