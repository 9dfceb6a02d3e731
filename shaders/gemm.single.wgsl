// gemm.single: gemm.workgroup keeps its tiles in single precision
//
//   Element = f32
//
// shapes    see gemm.workgroup
// parallel  see gemm.workgroup
// numerics  exact: operands are kept unchanged

alias Element = f32;
const PER_16_BYTES = 4u;
