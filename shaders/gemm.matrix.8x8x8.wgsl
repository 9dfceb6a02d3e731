// gemm.matrix.8x8x8: the size of a device's subgroup matrices
//
//   result [HEIGHT, WIDTH] += left [HEIGHT, DEPTHS] right [DEPTHS, WIDTH]
//
// shapes    as the name says: rows x columns x depths
// parallel  see gemm.matrix
// numerics  see gemm.matrix

const HEIGHT = 8u;
const WIDTH = 8u;
const DEPTHS = 8u;
