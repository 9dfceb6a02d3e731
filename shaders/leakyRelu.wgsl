// leakyRelu: x, or a small part of x where x is negative
//
//   forward   y[i]  = x[i] if x[i] >= 0, else SLOPE * x[i]
//   backward  dx[i] = dy[i] if x[i] > 0, else SLOPE * dy[i]          SLOPE at x = 0 and at NaN, as in PyTorch
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  one rounding. Backward reads x, because a negative SLOPE makes y positive on both sides

override SLOPE = 0.01;

fn value(x: f32) -> f32 { return select(x, SLOPE * x, x < 0.0); }

fn slope(x: f32) -> f32 { return select(SLOPE, 1.0, !isNan(x) && x > 0.0); }
