// gemm.matrix.16x16x16: the size of a device's subgroup matrices
//
//   result [HEIGHT, WIDTH] += left [HEIGHT, DEPTHS] right [DEPTHS, WIDTH]
//
// shapes    as the name says: rows x columns x depths
// parallel  see gemm.matrix
// numerics  see gemm.matrix

const HEIGHT = 16u;
const WIDTH = 16u;
const DEPTHS = 16u;
