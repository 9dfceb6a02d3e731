// conv2d.inputGrad.epilogue: writes the gradient of a convolution's input; conv2d.inputGrad tells which pixel a column is
//
//   dx[n,c,h,w] = dx[c, hnw]
//
// shapes    dx: [images, c, h, w]
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns
// numerics  exact

@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  var column = columnAt(col);
  for (var i = 0u; i < 4u; i++) {
    let pixel = pixelOf(column);
    let isPixel = STRIDE_H * STRIDE_W == 1u || all(pixel < vec2u(params.h, params.w));
    if (col + i < params.n && isPixel) {
      dx[((column.at.y * params.c + row) * params.h + pixel.x) * params.w + pixel.y] = value[i];
    }
    column = columnAfter(column);
  }
}
