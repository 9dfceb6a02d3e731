// maxPool2d.window: the largest value of a window of 2 x 2, optionally followed by ReLU
//
//   value = max(v), place = its index: the first of equals, the last NaN. With relu: max(value, 0), and NONE if that is 0
//
// shapes    v: the window's upper two values, then its lower two; Best: four windows side by side, whose places share a word
// parallel  called by maxPool2d.pair or halve for a window or four, and by the epilogues of convolutions that pool
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

// The largest values so far of four windows, and their places.
struct Best { value: vec4f, place: vec4u }

fn better(best: Best, v: vec4f, place: vec4u) -> Best {
  let wins = (v > best.value) | isNan(v);
  return Best(select(best.value, v, wins), select(best.place, place, wins));
}

struct Pooled { value: vec4f, index: u32 }

fn pooledOf(best: Best, relu: bool) -> Pooled {
  let off = (best.value <= vec4f()) & vec4(relu);
  let place = select(best.place, vec4u(0xffu), off);
  return Pooled(select(best.value, vec4f(), off), place.x | (place.y << 8u) | (place.z << 16u) | (place.w << 24u));
}
