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
  hasBias: u32, relu: u32
}
@group(0) @binding(0) var<uniform> params: Params;

// Whether the largest of each window of 2 x 2 of y is the output. Then dy is [images, o, p / 2, q / 2], p and q are even, and index
// holds the place of each window's largest.
override POOLED = false;

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
