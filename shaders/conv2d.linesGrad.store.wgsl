// conv2d.linesGrad.store: the store of the gradients of weight and bias that conv2d.linesGrad computes
//
//   dweight[o,c,r,s] = z[o, crs],  dbias[o] = z[o, CR, 0]
//
// shapes    z: [o, cr, 8], dweight: [o, c, r, s], dbias: [o]
// parallel  called by conv2d.linesGrad, or by gemm.reduce, for 4 columns of the kernel
// numerics  exact

@group(0) @binding(5) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>;

fn store(row: u32, col: u32, value: vec4f) {
  let line = col / 8u;
  let lines = params.c * params.r;
  for (var i = 0u; i < 4u; i++) {
    let s = col % 8u + i;
    if (line < lines && s < params.s) { dweight[(row * lines + line) * params.s + s] = value[i]; }
    if (line == lines && s == 0u) { dbias[row] = value[i]; }
  }
}
