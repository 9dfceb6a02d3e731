// classWeight: divides sums of probabilities by the largest, in place
//
//   w[c] = w[c] / max_k w[k]
//
// shapes    w: [cols]
// parallel  one workgroup; each invocation takes every 64th class, and a tree finds the largest (rows.wgsl with LANES = 64)
// numerics  a NaN counts as the largest and makes all weights NaN; sums that are all 0 do too

struct Params { cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;

@compute @workgroup_size(WG)
fn normalise(@builtin(local_invocation_index) lid: u32) {
  var largest = 0.0;
  for (var c = lid; c < params.cols; c += WG) { largest = larger(largest, w[c]); }
  largest = rowMax(lid, largest);
  let undefined = isNan(largest) || largest == 0.0;
  for (var c = lid; c < params.cols; c += WG) { w[c] = select(w[c] / largest, nan(c), undefined); }
}
