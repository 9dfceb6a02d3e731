// binaryCrossEntropy: the cross-entropy of probabilities, each element weighted
//
//   forward   l[i]  = -w[i] (t[i] max(log p[i], -100) + (1 - t[i]) max(log(1 - p[i]), -100))
//   backward  dp[i] = dl[i] scale w[i] (p[i] - t[i]) / max(p[i] (1 - p[i]), 1e-12)      as in PyTorch, without the clamp at -100
//
// shapes    p, targets t, weight w, l, dp: [size]; dl: [size], or [1] for all elements if each = 0
// parallel  one invocation per element; sum.wgsl takes sums and means
// numerics  clampedLog of rows.wgsl keeps NaN; a p outside [0, 1] gives NaN

struct Params { size: u32, weighted: u32, each: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
// Without weights p is bound here and not read.
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> l: array<f32>;
@group(0) @binding(5) var<storage, read> dl: array<f32>;
@group(0) @binding(6) var<storage, read_write> dp: array<f32>;

fn weightOf(i: u32) -> f32 {
  if (params.weighted == 0u) { return 1.0; }
  return weight[i];
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.size) { return; }
  l[i] = -weightOf(i) * (targets[i] * clampedLog(p[i]) + (1.0 - targets[i]) * clampedLog(1.0 - p[i]));
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.size) { return; }
  let variance = p[i] * (1.0 - p[i]);
  let guarded = select(variance, 1e-12, variance < 1e-12);
  let g = dl[select(0u, i, params.each == 1u)] * params.scale * weightOf(i);
  dp[i] = g * (p[i] - targets[i]) / guarded;
}
