// gemm.single: the tiles of gemm.workgroup in single precision
//
//   Element = f32
//
// shapes    see gemm.workgroup
// parallel  see gemm.workgroup
// numerics  exact: operands are kept as they are

alias Element = f32;
