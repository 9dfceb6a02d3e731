// conv2d: the formulas of convolution, and what its three matrix multiplications share
//
//   forward   y[n,o,p,q] = bias[o] + sum_crs weight[o,c,r,s] x[n,c,h,w],  then ReLU if asked for
//             h = p strideH - padH + r dilationH,  w = q strideW - padW + s dilationW;  x is 0 outside the image
//   backward  dx[n,c,h,w] = sum of weight[o,c,r,s] dy[n,o,p,q] over all o,r,s,p,q that belong to h,w
//             dweight[o,c,r,s] = sum_npq dy[n,o,p,q] x[n,c,h,w],  dbias[o] = sum_npq dy[n,o,p,q]
//
// shapes    x, dx: [images, c, h, w]; weight, dweight: [o, c, r, s]; bias, dbias: [o]; y, dy: [images, o, p, q]
// parallel  no matrix is laid out in memory: when a GEMM kernel loads an element, conv2d.* compute its place in x, weight or dy
// numerics  exact: numbers are passed on unchanged

struct Params {
  m: u32, n: u32, k: u32, kPerPart: u32,
  images: u32, c: u32, h: u32, w: u32, o: u32, p: u32, q: u32, r: u32, s: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  perP: f32, perQ: f32, perFour: f32, perO: f32, // see quotient: 1 / p, 1 / q, 4 / (p q), and 1 / o with o rounded up to a multiple of 4
  hasBias: u32, relu: u32
}
@group(0) @binding(0) var<uniform> params: Params;

// Whether the largest of each window of 2 x 2 of y is the output. Then dy is [images, o, p / 2, q / 2], p and q are even, and index
// holds the place of each window's largest. It has a type of its own so that an operand without POOLED takes any tensor for it.
override POOLED = false;
alias Place = u32;
// For columns of an operand that are pixels: how many neighbours, from each multiple of this, are in one row: 1, 2 or 4.
override RUN: u32 = 1;
override LARGE = false; // whether k is 2^21 or more

const NEXT = vec4u(0, 1, 2, 3);

// Numbers of dy per image and channel.
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

// i / size, given an inverse of size that is larger than 1 / size by a factor of 1 + 2^-22, so that rounding does not make it less: exact
// for i < 2^21. Loops over k use it because GPUs divide whole numbers slowly: 17 instructions instead of 4.
fn quotient(i: u32, size: u32, inverse: f32) -> u32 {
  if (LARGE) { return i / size; }
  return u32(f32(i) * inverse);
}

// Four neighbours in an array [., rows, cols]: their rows, their columns, the place of the first in memory, and how far from it each is.
struct Four { row: vec4i, col: vec4i, at: i32, offset: vec4i }

// The element `first` and the next three, if neighbours in each dimension are `steps` apart in memory. In the loops over k, this is what
// costs most. So their places come from the first one's: if the array isWide, with 3 columns or more, at most one row ends within
// four elements.
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

// Four values, of which only the first of each RUN is taken: its neighbours follow in steps. Compilers add constants to an address at no
// cost if they are added last.
fn inRuns(v: vec4i, step: i32) -> vec4i {
  if (RUN == 4u) { return v.xxxx + step * vec4i(NEXT); }
  if (RUN == 2u) { return v.xxzz + vec4i(0, step, 0, step); }
  return v;
}

// Whether neighbour i of `count`, which are `step` apart from the one at `first`, lies in an image of this size. Only the first `reach`
// neighbours may lie before the image, and only the last ones behind it.
fn isInside(first: vec4i, i: u32, count: u32, step: u32, size: u32, reach: u32) -> vec4<bool> {
  let shift = i32(i * step);
  let mayBeBehind = count - 1u - i < reach;
  if (i < reach && mayBeBehind) { return vec4u(first + shift) < vec4u(size); }
  if (i < reach) { return first >= vec4i(-shift); }
  return (first < vec4i(i32(size) - shift)) | vec4(!mayBeBehind);
}
