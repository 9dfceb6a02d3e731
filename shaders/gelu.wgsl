// gelu: x times the probability that a normal variable is below x (Hendrycks & Gimpel 2016)
//
//   forward   y[i]  = x[i] P(x[i])
//   backward  dx[i] = dy[i] (P(x[i]) + x[i] P'(x[i]))
//   exact     P(x)  = erfc(-x / sqrt 2) / 2,                   P'(x) = exp(-x^2 / 2) / sqrt(2 pi)
//   TANH      P(x)  = sigmoid(2 c (x + 0.044715 x^3)),         c = sqrt(2 / pi); this is 0.5 (1 + tanh(...)) without its cancellation
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  erfc(z) = t exp(-z^2 + poly(t)), t = 1 / (1 + z / 2): a polynomial fitted at 400 Chebyshev nodes over z in [0, 10.2], with a
//           relative error of 5e-8. So P keeps its digits where it is small, which 1 + erf would not. Beyond 14 on either side f32 has
//           only the limits 0 and x, also at infinity. Backward reads x

override TANH = false;

const END = 14.0;

// P(x) and P'(x) for |x| <= END.
fn normal(x: f32) -> vec2f {
  if (TANH) {
    let u = 1.5957691 * x * (1.0 + 0.044715 * x * x);
    let e = exp(-abs(u));
    let p = select(e, 1.0, u >= 0.0) / (1.0 + e);
    return vec2f(p, e / ((1.0 + e) * (1.0 + e)) * 1.5957691 * (1.0 + 0.134145 * x * x));
  }
  let t = 1.0 / (1.0 + 0.35355339 * abs(x));
  let low = -0.0108340878 + t * (-0.0575148668 + t * (-0.723754132 + t * (1.17737632 + t * (-0.689589184 + t * 0.146537170))));
  let poly = -1.26545292 + t * (0.998732965 + t * (0.385779274 + t * (0.0387195150 + t * low)));
  let tail = 0.5 * t * exp(poly - 0.5 * x * x);
  return vec2f(select(tail, 1.0 - tail, x >= 0.0), 0.39894228 * exp(-0.5 * x * x));
}

fn value(x: f32) -> f32 {
  if (x < -END) { return 0.0; }
  if (x > END) { return x; }
  return x * normal(x).x;
}

fn slope(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (abs(x) > END) { return select(0.0, 1.0, x > 0.0); }
  let p = normal(x);
  return p.x + x * p.y;
}
