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
  perP: f32, perQ: f32, perPQ: f32, perO: f32, // 1 / p, 1 / q, 1 / (p q), and 1 / o with o rounded up to a multiple of 4
  hasBias: u32, relu: u32
}
@group(0) @binding(0) var<uniform> params: Params;

// Whether the largest of each window of 2 x 2 of y is the output. Then dy is [images, o, p / 2, q / 2], p and q are even, and index
// holds the place of each window's largest.
override POOLED = false;
override LARGE = false; // whether k is 2^22 or more

const NEXT = vec4u(0, 1, 2, 3);

// Numbers of dy per image and channel.
fn dySize() -> u32 { return select(params.p * params.q, (params.p / 2u) * (params.q / 2u), POOLED); }

// The indices (., row, col) of element i of an array [., rows, cols], and those of the next element.
fn place(i: u32, rows: u32, cols: u32) -> vec3u {
  let line = i / cols;
  return vec3u(line / rows, line % rows, i % cols);
}

fn next(at: vec3u, rows: u32, cols: u32) -> vec3u {
  let line = at.y + u32(at.z + 1u == cols);
  return vec3u(at.x + u32(line == rows), select(line, 0u, line == rows), select(at.z + 1u, 0u, at.z + 1u == cols));
}

// i / size, given 1 / size: exact for i < 2^22, as (i + 0.5) / size is at least 0.5 / size away from whole numbers. Loops over k use it
// because GPUs divide whole numbers slowly: 17 instructions instead of 4.
fn quotient(i: u32, size: u32, inverse: f32) -> u32 {
  if (LARGE) { return i / size; }
  return u32((f32(i) + 0.5) * inverse);
}

// Four neighbours in an array [., rows, cols]: their rows, their columns and their places in memory.
struct Four { row: vec4i, col: vec4i, at: vec4i }

// The element `first` and the next three, if neighbours in each dimension are `steps` apart in memory. In the loops over k, this is what
// costs most. So their places come from the first one's: if the array isWide, with 3 columns or more, at most one row ends within
// four elements. If it isWhole, none does: cols is a multiple of 4, and so is the column of `first`.
fn fourFrom(first: vec3u, rows: u32, cols: u32, steps: vec3i, isWide: bool, isWhole: bool) -> Four {
  var four: Four;
  var element = vec3i(first);
  let at = element.x * steps.x + element.y * steps.y + element.z * steps.z;
  let isLastRow = element.y + 1 == i32(rows);
  let nextRow = select(element.y + 1, 0, isLastRow);
  let toNextRow = steps.y - i32(cols) * steps.z + select(0, steps.x - i32(rows) * steps.y, isLastRow);
  for (var j = 0; j < 4; j++) {
    if (isWide) {
      let isNext = j > 0 && !isWhole && element.z + j >= i32(cols);
      four.row[j] = select(element.y, nextRow, isNext);
      four.col[j] = element.z + j - select(0, i32(cols), isNext);
      four.at[j] = at + (j * steps.z + select(0, toNextRow, isNext));
    } else {
      four.row[j] = element.y;
      four.col[j] = element.z;
      four.at[j] = element.x * steps.x + element.y * steps.y + element.z * steps.z;
      element = vec3i(next(vec3u(element), rows, cols));
    }
  }
  return four;
}
