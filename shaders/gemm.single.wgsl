// gemm.single: tiles in single precision for gemm.workgroup, gemm.workgroup.4x4 and gemm.matrix
//
//   Element = f32
//
// shapes    see the kernel
// parallel  see the kernel
// numerics  exact: operands are not rounded

alias Element = f32;
const PER_16_BYTES = 4u;
