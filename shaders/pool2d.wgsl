// pool2d: shared by avgPool2d and maxPool2d: which pixels a window covers, and which windows cover a pixel
//
//   window (p,q) covers the padded rows h with p stride <= h < p stride + kernelSize, and columns likewise
//
// shapes    the image: [planes, h, w]; its windows: [planes, p, q]; a plane is one channel of one image
// parallel  the kernels that are joined take LOOP outputs or pixels per invocation, 64 apart
// numerics  whole numbers only

override LOOP = 1u;

// Rows (x) and columns (y) from `begin` on and below `end`.
struct Range { begin: vec2u, end: vec2u }

// The pixels in a window, without the padding.
fn pixelsOf(window: vec2u) -> Range {
  let padded = window * params.stride;
  let end = min(padded + params.kernelSize - params.padding, vec2u(params.h, params.w));
  return Range(max(padded, vec2u(params.padding)) - params.padding, end);
}

// The windows that cover a pixel.
fn windowsOf(pixel: vec2u) -> Range {
  let padded = pixel + params.padding;
  let begin = select(vec2u(), (padded - params.kernelSize) / params.stride + 1u, padded >= vec2u(params.kernelSize));
  return Range(begin, min(padded / params.stride + 1u, vec2u(params.p, params.q)));
}
