// matmul.epilogue: writes the result of a matrix multiplication row by row
//
// shapes    y: [m, n]
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns; WHOLE: n is a multiple of 4, so all 4 columns exist. Numbers
//           are written one by one: a vec4 may hold the end of one row and the start of the next, and a device may write all
//           components of a vec4 when only one is assigned
// numerics  exact; ADD: added to the numbers that y holds

override WHOLE = false;
override ADD = false;

@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (WHOLE || col + i < params.n) {
      let at = row * params.n + col + i;
      var sum = value[i];
      if (ADD) { sum += y[at]; }
      y[at] = sum;
    }
  }
}
