// maxPool2d.window: the largest value of a window of 2 x 2, optionally followed by ReLU
//
//   value = max(v), place = its index: the first of equals, the last NaN. With relu: max(value, 0), and NONE if that is 0
//
// shapes    v: the window's upper two values, then its lower two
// parallel  called by maxPool2d.pair for a window, and by the epilogue of a convolution that pools
// numerics  NaN is found by its bits and wins

const NONE = 0xffffffffu;

fn isNan(v: vec4f) -> vec4<bool> { return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }

struct Largest { value: f32, place: u32 }

fn largestOf(v: vec4f, relu: bool) -> Largest {
  let nan = isNan(v);
  var best = Largest(v.x, 0u);
  if (v.y > best.value || nan.y) { best = Largest(v.y, 1u); }
  if (v.z > best.value || nan.z) { best = Largest(v.z, 2u); }
  if (v.w > best.value || nan.w) { best = Largest(v.w, 3u); }
  if (relu && best.value <= 0.0) { best = Largest(0.0, NONE); }
  return best;
}
