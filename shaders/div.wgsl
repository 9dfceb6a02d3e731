// div: a / b, element by element
//
//   forward   y  = a / b
//   backward  da = dy / b, db = -dy (a / b) / b     each summed over the places where the input was repeated
//
// shapes    any two that broadcast (binary.wgsl)
// parallel  as in binary.wgsl
// numerics  WGSL's division, at most 2.5 units in the last place off; b is not squared, which could overflow. Backward reads a and b

fn value(a: f32, b: f32) -> f32 { return a / b; }
fn slopeOfA(a: f32, b: f32) -> f32 { return 1.0 / b; }
fn slopeOfB(a: f32, b: f32) -> f32 { return -(a / b) / b; }
