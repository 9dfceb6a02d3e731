// conv2d: the formulas of convolution, and what its three matrix multiplications share
//
//   forward   y[n,o,p,q] = bias[o] + sum_crs weight[o,c,r,s] x[n,c,h,w],  then ReLU if asked for
//             h = p strideH - padH + r dilationH,  w = q strideW - padW + s dilationW;  x is 0 outside the image
//   backward  dx[n,c,h,w] = sum of weight[o,c,r,s] dy[n,o,p,q] over all o,r,s,p,q that belong to h,w
//             dweight[o,c,r,s] = sum_npq dy[n,o,p,q] x[n,c,h,w],  dbias[o] = sum_npq dy[n,o,p,q]
//
// shapes    x, dx: [images, c, h, w]; weight, dweight: [o, c, r, s]; bias, dbias: [o]; y, dy: [images, o, p, q]
// parallel  called by GEMM kernels. No matrix is laid out in memory: conv2d.* compute where x, weight or dy have its elements
// numerics  exact: numbers are passed on unchanged

struct Params {
  m: u32, n: u32, k: u32, kPerPart: u32,
  images: u32, c: u32, h: u32, w: u32, o: u32, p: u32, q: u32, r: u32, s: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  perP: f32, perQ: f32, perFour: f32, perO: f32, // see quotient: 1 / p, 1 / q, 4 / (p q), and 1 / o with o rounded up to a multiple of 4
  hasBias: u32, relu: u32
}
@group(0) @binding(0) var<uniform> params: Params;

// Whether the output is the largest of each 2 x 2 window of y. Then dy is [images, o, p / 2, q / 2], p and q are even, and `index` tells
// which of the four was the largest. Without POOLED dy is bound to it: the engine does not check the type of an alias.
override POOLED = false;
alias Place = u32;
// If columns are pixels: how many neighbours, from each multiple of RUN on, always lie in one row of the image: 1, 2 or 4.
override RUN: u32 = 1;
override LARGE = false; // whether k is 2^21 or more

const NEXT = vec4u(0, 1, 2, 3);

// The size of dy per image and channel.
fn dySize() -> u32 { return params.p * params.q / select(1u, 4u, POOLED); }

// The indices (., row, col) of element i of an array [., rows, cols], and those of the next element.
fn place(i: u32, rows: u32, cols: u32) -> vec3u {
  let line = i / cols;
  return vec3u(line / rows, line % rows, i % cols);
}

fn next(at: vec3u, rows: u32, cols: u32) -> vec3u {
  let line = at.y + u32(at.z + 1u == cols);
  return vec3u(at.x + u32(line == rows), select(line, 0u, line == rows), select(at.z + 1u, 0u, at.z + 1u == cols));
}

// i / size, exact for i < 2^21. `inverse` is (1 + 2^-22) / size, as rounding must not make it less than 1 / size. Loops over k use this
// because GPUs divide integers slowly: 17 instructions instead of 4.
fn quotient(i: u32, size: u32, inverse: f32) -> u32 {
  if (LARGE) { return i / size; }
  return u32(f32(i) * inverse);
}

// Four neighbours in an array [., rows, cols]: their rows and columns, the index of the first in memory, and each one's offset from it.
struct Four { row: vec4i, col: vec4i, at: i32, offset: vec4i }

// The element `first` and the next three. `steps` are the distances in memory between neighbours of each dimension. This costs most in the
// loops over k, so the three follow from the first one if the array isWide: with 3 columns or more, at most one row ends within four
// elements.
fn fourFrom(first: vec3u, rows: u32, cols: u32, steps: vec3i, isWide: bool) -> Four {
  var four: Four;
  var element = vec3i(first);
  four.at = element.x * steps.x + element.y * steps.y + element.z * steps.z;
  let isLastRow = element.y == i32(rows) - 1;
  let nextRow = select(element.y + 1, 0, isLastRow);
  let toNextRow = steps.y - i32(cols) * steps.z + select(0, steps.x - i32(rows) * steps.y, isLastRow);
  for (var j = 0; j < 4; j++) {
    if (isWide) {
      let isNext = j > 0 && element.z >= i32(cols) - j;
      four.row[j] = select(element.y, nextRow, isNext);
      four.col[j] = element.z + j - select(0, i32(cols), isNext);
      four.offset[j] = j * steps.z + select(0, toNextRow, isNext);
    } else {
      four.row[j] = element.y;
      four.col[j] = element.z;
      four.offset[j] = element.x * steps.x + element.y * steps.y + element.z * steps.z - four.at;
      element = vec3i(next(vec3u(element), rows, cols));
    }
  }
  return four;
}

// Keeps the first of each RUN of values; its neighbours become that value plus multiples of `step`. Constants that are added to an
// address last cost nothing.
fn inRuns(v: vec4i, step: i32) -> vec4i {
  if (RUN == 4u) { return v.xxxx + step * vec4i(NEXT); }
  if (RUN == 2u) { return v.xxzz + vec4i(0, step, 0, step); }
  return v;
}

// Whether pixel i of a block of `count` lies in an image of this size. Pixel 0 is at `first`, and the others follow in distances of `step`.
// Only the first `reach` pixels can lie before the image, and only the last `reach` behind it.
fn isInside(first: vec4i, i: u32, count: u32, step: u32, size: u32, reach: u32) -> vec4<bool> {
  let shift = i32(i * step);
  let mayBeBehind = count - 1u - i < reach;
  if (i < reach && mayBeBehind) { return vec4u(first + shift) < vec4u(size); }
  if (i < reach) { return first >= vec4i(-shift); }
  return (first < vec4i(i32(size) - shift)) | vec4(!mayBeBehind);
}
