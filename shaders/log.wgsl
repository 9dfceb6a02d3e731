// log: natural logarithm
//
//   forward   y[i]  = log(x[i]);    -infinity for 0, NaN below 0
//   backward  dx[i] = dy[i] / x[i]
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  WGSL's log leaves some results open, so they are made from bits: for 0, negative numbers, infinity, and subnormal numbers
//           (bits * 2^-149), which a device may treat as 0. Backward reads x

fn value(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return bitcast<f32>(bits | 0xff800000u); }
  if (bits > 0x7f800000u) { return bitcast<f32>(bits | 0x7fc00000u); }
  if (bits == 0x7f800000u) { return x; }
  if (bits < 0x00800000u) { return log(f32(bits)) - 103.27893; }
  return log(x);
}

fn slope(x: f32) -> f32 { return 1.0 / x; }
