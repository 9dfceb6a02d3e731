// gemm.weightGrad.epilogue: writes the gradients of weight and bias, which one matrix multiplication computes
//
//   [dweight | dbias] = dy^T [x | 1]        the column of ones sums dy over the batch, and the pixels of images
//
// shapes    dweight: [m, n - 1], dbias: [m]
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns
// numerics  exact

@group(0) @binding(5) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  let inputs = params.n - 1u;
  for (var i = 0u; i < 4u; i++) {
    if (col + i < inputs) { dweight[row * inputs + col + i] = value[i]; }
    if (col + i == inputs) { dbias[row] = value[i]; }
  }
}
