// classWeight: turns sums of probabilities into class weights, in place, and keeps those of a loss above a floor
//
//   normalise  mean        w[c] = w[c] / m,   m = max_k w[k]
//              saturating  w[c] = min(1, w[c] / (share m))^2
//   raise      y[c] = floor + (1 - floor) w[c]
//
// shapes    w, y: [cols]
// parallel  one workgroup; each invocation takes every 64th class, and a tree finds the largest (rows.wgsl with LANES = 64)
// numerics  a NaN counts as the largest and makes all weights NaN; sums that are all 0 do too

// Whether classes from a share of the largest on weigh 1.
override SATURATING = false;

struct Params { cols: u32, share: f32, floor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read> wIn: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn normalise(@builtin(local_invocation_index) lid: u32) {
  var largest = 0.0;
  for (var c = lid; c < params.cols; c += WG) { largest = larger(largest, w[c]); }
  largest = rowMax(lid, largest);
  let undefined = isNan(largest) || largest == 0.0;
  for (var c = lid; c < params.cols; c += WG) {
    var weight = w[c] / largest;
    if (SATURATING) {
      weight = min(1.0, weight / params.share);
      weight *= weight;
    }
    w[c] = select(weight, nan(c), undefined);
  }
}

@compute @workgroup_size(WG)
fn raise(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let c = wid.x * WG + lid;
  if (c >= params.cols) { return; }
  let raised = params.floor + (1.0 - params.floor) * wIn[c];
  y[c] = select(raised, wIn[c], isNan(wIn[c]));
}
