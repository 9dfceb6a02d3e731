// entropy: of rows of probabilities
//
//   forward   y[r]    = -sum_c p[r,c] log(p[r,c] + eps)
//   backward  dp[r,c] = -dy[r] (log(p[r,c] + eps) + p[r,c] / (p[r,c] + eps))
//
// shapes    p, dp: [rows, cols]; y, dy: [rows]
// parallel  forward: LANES lanes per row (rows.wgsl); backward: one invocation per element
// numerics  eps keeps the logarithm finite at 0; NaN is passed on by hand, as log may turn it into a number

struct Params { rows: u32, cols: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dp: array<f32>;

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  // Every invocation must reach the barriers of the sum.
  let end = start + select(0u, params.cols, row < params.rows);
  var sum = 0.0;
  for (var i = start + lid % LANES; i < end; i += LANES) {
    sum -= select(p[i] * log(p[i] + params.eps), p[i], isNan(p[i]));
  }
  sum = rowSum(lid, sum);
  if (row < params.rows && lid % LANES == 0u) { y[row] = sum; }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.rows * params.cols) { return; }
  let shifted = p[i] + params.eps;
  let slope = -(log(shifted) + p[i] / shifted);
  dp[i] = dy[i / params.cols] * select(slope, p[i], isNan(p[i]));
}
