// classWeight: sums of probability to class weights, in place
//
//   w[c] = w[c] / max_k w[k]
//
// shapes    w: [cols]
// parallel  one workgroup; every invocation takes each 64th class, their largest meet in a tree (rows.wgsl with LANES = 64)
// numerics  a NaN is the largest of all, and makes all weights NaN; so do sums of nothing, which are all 0

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
