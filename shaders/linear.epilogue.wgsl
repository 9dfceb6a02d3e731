// linear.epilogue: adds the bias of a linear layer and writes its output; its operands are those of matmul
//
//   forward   y = x weight^T + bias, then ReLU if asked for
//   backward  dx = dz weight,  [dweight | dbias] = dz^T [x | 1],   dz = dy where y > 0 (all of dy without ReLU)
//
// shapes    x: [m, k], weight: [n, k], bias: [n], y: [m, n]
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns; WHOLE: n is a multiple of 4, so all 4 columns exist
// numerics  the bias is added to the finished sum. NaN passes the ReLU, because NaN < 0 is false

override BIAS = false;
override RELU = false;
override WHOLE = false;

@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (WHOLE || col + i < params.n) {
      var z = value[i];
      if (BIAS) { z += bias[col + i]; }
      y[row * params.n + col + i] = select(z, 0.0, RELU && z < 0.0);
    }
  }
}
