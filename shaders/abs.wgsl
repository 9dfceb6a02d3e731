// abs: absolute value
//
//   forward   y[i]  = |x[i]|
//   backward  dx[i] = dy[i] * sign(x[i])         0 at x = 0 and at NaN, as in PyTorch
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  exact. Backward reads x

fn value(x: f32) -> f32 { return abs(x); }

fn slope(x: f32) -> f32 {
  if (isNan(x)) { return 0.0; }
  return sign(x);
}
