// tanh: hyperbolic tangent
//
//   forward   y[i]  = tanh(x[i]) = (1 - e) / (1 + e) with the sign of x[i],     e = exp(-2 |x[i]|)
//   backward  dx[i] = dy[i] * (1 - y[i]^2)
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  e cannot overflow. Near 0 the difference 1 - e would lose digits, so a Taylor series is used there; its error at 0.3 is less
//           than one rounding. WGSL's own tanh may be off by 1e-5. Backward reads y

fn value(x: f32) -> f32 {
  let s = x * x;
  if (s < 0.09) {
    return x + x * s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0))));
  }
  let e = exp(-2.0 * abs(x));
  return sign(x) * (1.0 - e) / (1.0 + e);
}

fn slope(y: f32) -> f32 { return 1.0 - y * y; }
