// gemm.half: tiles in half precision for gemm.workgroup, gemm.workgroup.4x4 and gemm.matrix
//
//   Element = f16
//
// shapes    see the kernel
// parallel  see the kernel. A tile takes half the workgroup memory of f32, and half the time to read
// numerics  operands are rounded to f16: 11 significant bits, infinite from 65,520 on. Products and sums are f32

enable f16;

alias Element = f16;
const PER_16_BYTES = 8u;
