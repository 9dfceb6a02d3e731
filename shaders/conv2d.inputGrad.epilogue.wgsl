// conv2d.inputGrad.epilogue: writes the gradient of a convolution's input; conv2d.inputGrad defines the pixel of a column
//
//   dx[n,c,h,w] = dx[c, hwn]
//
// shapes    dx: [images, c, h, w]
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns
// numerics  exact

@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  var at = columnAt(col);
  for (var i = 0u; i < 4u; i++) {
    if (col + i < params.n) {
      let pixel = pixelOf(at);
      dx[((pixel.x * params.c + row) * params.h + pixel.y) * params.w + pixel.z] = value[i];
    }
    at = columnAfter(at);
  }
}
