// gemm.matrix.8x16x16: one size of subgroup matrices, for gemm.matrix
//
//   result [HEIGHT, WIDTH] += left [HEIGHT, K] right [K, WIDTH]
//
// shapes    the file's name is HEIGHT x WIDTH x K
// parallel  see gemm.matrix
// numerics  see gemm.matrix

const HEIGHT = 8u;
const WIDTH = 16u;
const K = 16u;
