// conv2d.pool.epilogue: adds the bias to a convolution's sums and writes the largest of each window of 2 x 2
//
//   y[n,o,p/2,q/2] = max (z[o, npq] + bias[o])     over the window's four columns,  then ReLU if asked for
//   index[n,o,p/2,q/2] = 65536 p + q of that value, or NOWHERE if ReLU set it to 0
//
// shapes    y, index: [images, o, p / 2, q / 2], bias: [o]; with POOLED, conv2d.forward sorts the columns by windows
// parallel  called by a GEMM kernel or gemm.reduce for 4 columns, which are a window
// numerics  the same as conv2d.epilogue and then maxPool2d. Backward reads index

@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(8) var<storage, read_write> index: array<u32>;

const NOWHERE = 0x80008000u;

fn epilogue(row: u32, col: u32, value: vec4f) {
  var z = value;
  if (params.hasBias == 1u) { z += bias[row]; }
  let largest = largestOf(z, params.relu == 1u);
  let size = (params.p / 2u) * (params.q / 2u);
  let window = col / 4u;
  let pixel = window % size;
  let at = (window / size * params.o + row) * size + pixel;
  let columns = params.q / 2u;
  let place = vec2u(pixel / columns, pixel % columns) * 2u + vec2u(largest.place / 2u, largest.place % 2u);
  y[at] = largest.value;
  index[at] = select((place.x << 16u) + place.y, NOWHERE, largest.place == NONE);
}
