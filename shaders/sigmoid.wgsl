// sigmoid: maps any number to a probability
//
//   forward   y[i]  = 1 / (1 + exp(-x[i]))
//   backward  dx[i] = dy[i] * y[i] (1 - y[i])
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  exp is taken only of -|x|, so it cannot overflow and small probabilities keep their digits. Backward reads y

fn value(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

fn slope(y: f32) -> f32 { return y * (1.0 - y); }
