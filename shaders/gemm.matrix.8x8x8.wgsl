// gemm.matrix.8x8x8: the size of a device's subgroup matrices, for gemm.matrix
//
//   result [HEIGHT, WIDTH] += left [HEIGHT, K] right [K, WIDTH]
//
// shapes    the file's name gives rows x columns x steps of k
// parallel  see gemm.matrix
// numerics  see gemm.matrix

const HEIGHT = 8u;
const WIDTH = 8u;
const K = 8u;
