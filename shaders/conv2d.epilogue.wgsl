// conv2d.epilogue: adds the bias to a convolution's sums and writes its output
//
//   y[n,o,p,q] = z[o, npq] + bias[o],  then ReLU if asked for
//
// shapes    y: [images, o, p, q], bias: [o]
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns
// numerics  the bias is added to the finished sum. NaN passes the ReLU, because NaN < 0 is false

@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn epilogue(row: u32, col: u32, value: vec4f) {
  let size = params.p * params.q;
  var image = col / size;
  var pixel = col % size;
  for (var i = 0u; i < 4u; i++) {
    if (col + i < params.n) {
      var z = value[i];
      if (params.hasBias == 1u) { z += bias[row]; }
      y[(image * params.o + row) * size + pixel] = select(z, 0.0, params.relu == 1u && z < 0.0);
    }
    image += u32(pixel + 1u == size);
    pixel = select(pixel + 1u, 0u, pixel + 1u == size);
  }
}
