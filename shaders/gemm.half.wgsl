// gemm.half: the tiles of gemm.workgroup in half precision
//
//   Element = f16
//
// shapes    see gemm.workgroup
// parallel  see gemm.workgroup: half the workgroup memory, and half as much to read from it
// numerics  operands are rounded to half precision: 11 bits, infinite from 65,520 on. Products and sums are in single precision

enable f16;

alias Element = f16;
