// conv2d.directWeightGrad.epilogue: writes the gradients of weight and bias that conv2d.directWeightGrad computes
//
//   dweight[o,c,r,s] = z[o, cr, s],  dbias[o] = z[o, CR, 0]
//
// shapes    z: [o, cr, 8], dweight: [o, c, r, s], dbias: [o]
// parallel  called by conv2d.directWeightGrad or gemm.reduce for 4 columns of the kernel
// numerics  exact

@group(0) @binding(5) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  let kernelRow = col / 8u;
  let kernelRows = params.c * params.r;
  for (var i = 0u; i < 4u; i++) {
    let s = col % 8u + i;
    if (kernelRow < kernelRows && s < params.s) { dweight[(row * kernelRows + kernelRow) * params.s + s] = value[i]; }
    if (kernelRow == kernelRows && s == 0u) { dbias[row] = value[i]; }
  }
}
