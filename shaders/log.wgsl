// log: natural logarithm
//
//   forward   y[i]  = log(x[i]);    -infinity of 0, NaN of less
//   backward  dx[i] = dy[i] / x[i]
//
// shapes    x, y, dy, dx: [size]
// parallel  as in unary.wgsl
// numerics  what WGSL's log leaves open is made here of bits: 0, negative numbers, infinity, and numbers too small for a full
//           mantissa (bits * 2^-149), which a device may take for 0. Backward reads x.

fn value(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return bitcast<f32>(bits | 0xff800000u); }
  if (bits > 0x7f800000u) { return bitcast<f32>(bits | 0x7fc00000u); }
  if (bits == 0x7f800000u) { return x; }
  if (bits < 0x00800000u) { return log(f32(bits)) - 103.27893; }
  return log(x);
}

fn slope(x: f32) -> f32 { return 1.0 / x; }
