// exp: exponential function
//
//   forward   y[i]  = exp(x[i])
//   backward  dx[i] = dy[i] * y[i]
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  beyond the largest f32 it is infinity, made of bits, for WGSL need not give it. Backward reads y.

fn value(x: f32) -> f32 {
  // x is positive here, so the sign that is added is 0; a constant infinity does not compile.
  if (x > 88.72283) { return bitcast<f32>(0x7f800000u + (bitcast<u32>(x) >> 31u)); }
  return exp(x);
}

fn slope(y: f32) -> f32 { return y; }
