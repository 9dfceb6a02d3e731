// sqrt: square root
//
//   forward   y[i]  = sqrt(x[i]);    NaN below 0
//   backward  dx[i] = dy[i] / (2 y[i])           infinity at x = 0, as in PyTorch
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  WGSL's sqrt is as exact as its 1 / inverseSqrt(x), so results for 0, negative numbers and infinity are made from bits, and
//           those for subnormal numbers (bits * 2^-149), which a device may treat as 0. Backward reads y

fn value(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u || bits == 0x7f800000u) { return x; }
  if (bits > 0x7f800000u) { return bitcast<f32>(bits | 0x7fc00000u); }
  if (bits < 0x00800000u) { return sqrt(f32(bits)) * 3.7433921e-23; }
  return sqrt(x);
}

fn slope(y: f32) -> f32 { return 0.5 / y; }
