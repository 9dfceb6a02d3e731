// gemm.half: gemm.workgroup keeps its tiles in half precision
//
//   Element = f16
//
// shapes    see gemm.workgroup
// parallel  see gemm.workgroup; the tiles take half the workgroup memory, so there is half as much to read
// numerics  operands are rounded to half precision: 11 significant bits, infinite from 65,520 on. Products and sums are f32

enable f16;

alias Element = f16;
const PER_16_BYTES = 8u;
