// add: a + b
//
//   forward   y  = a + b
//   backward  da = dy, db = dy          each summed over the places where the input was repeated
//
// shapes    any two that broadcast (binary.wgsl)
// parallel  as in binary.wgsl; an input that is not repeated has dy itself as its gradient, so no kernel runs for it
// numerics  one rounding

fn value(a: f32, b: f32) -> f32 { return a + b; }
fn slopeOfA(a: f32, b: f32) -> f32 { return 1.0; }
fn slopeOfB(a: f32, b: f32) -> f32 { return 1.0; }
