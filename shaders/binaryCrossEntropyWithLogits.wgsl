// binaryCrossEntropyWithLogits: the cross-entropy of sigmoid(x), each element weighted
//
//   forward   l[i]  = w[i] ((1 - t[i]) softplus(x[i]) + v[i % cols] t[i] softplus(-x[i])),   softplus(x) = log(1 + exp(x))
//   backward  dx[i] = dl[i] scale w[i] ((1 - t[i]) sigmoid(x[i]) - v[i % cols] t[i] sigmoid(-x[i]))
//
// shapes    x, targets t, weight w, l, dx: [size]; posWeight v: [cols]; dl: [size], or [1] for all elements if each = 0
// parallel  one invocation per element; sum.wgsl takes sums and means
// numerics  softplus(x) = max(x, 0) + log(1 + e) with e = exp(-|x|), which cannot overflow. log(1 + e) = 2 atanh(e / (2 + e)) by its
//           series, so a small loss keeps its digits; the error of the series is less than one rounding. NaN is passed on by hand

struct Params { size: u32, cols: u32, weighted: u32, positive: u32, each: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
// Without weights x is bound here and not read.
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> posWeight: array<f32>;
@group(0) @binding(5) var<storage, read_write> l: array<f32>;
@group(0) @binding(6) var<storage, read> dl: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<f32>;

fn weightOf(i: u32) -> f32 {
  if (params.weighted == 0u) { return 1.0; }
  return weight[i];
}

fn posWeightOf(i: u32) -> f32 {
  if (params.positive == 0u) { return 1.0; }
  return posWeight[i % params.cols];
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.size) { return; }
  let v = x[i];
  let e = exp(-abs(v));
  let s = e / (2.0 + e);
  let q = s * s;
  let softplus = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0))))));
  let ofNegative = (1.0 - targets[i]) * (softplus + select(0.0, v, v > 0.0));
  let ofPositive = posWeightOf(i) * targets[i] * (softplus + select(0.0, -v, v < 0.0));
  l[i] = select(weightOf(i) * (ofNegative + ofPositive), v, isNan(v));
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.size) { return; }
  let v = x[i];
  let e = exp(-abs(v));
  let p = select(e, 1.0, v >= 0.0) / (1.0 + e);
  let q = select(1.0, e, v >= 0.0) / (1.0 + e);
  let slope = weightOf(i) * ((1.0 - targets[i]) * p - posWeightOf(i) * targets[i] * q);
  dx[i] = dl[select(0u, i, params.each == 1u)] * params.scale * select(slope, v, isNan(v));
}
