// exp: exponential function
//
//   forward   y[i]  = exp(x[i])
//   backward  dx[i] = dy[i] * y[i]
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  a result beyond the largest f32 is infinity, made from bits, because WGSL does not require it. Backward reads y

fn value(x: f32) -> f32 {
  // A constant infinity does not compile, so the sign of x is added, which is 0 here.
  if (x > 88.72283) { return bitcast<f32>(0x7f800000u + (bitcast<u32>(x) >> 31u)); }
  return exp(x);
}

fn slope(y: f32) -> f32 { return y; }
