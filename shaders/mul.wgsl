// mul: a * b, element by element
//
//   forward   y  = a * b
//   backward  da = dy * b, db = dy * a  each summed over the places where the input was repeated
//
// shapes    any two that broadcast (binary.wgsl)
// parallel  as in binary.wgsl
// numerics  one rounding; backward reads a and b

fn value(a: f32, b: f32) -> f32 { return a * b; }
fn slopeOfA(a: f32, b: f32) -> f32 { return b; }
fn slopeOfB(a: f32, b: f32) -> f32 { return a; }
