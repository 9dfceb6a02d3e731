// rowNorm: Euclidean norms of rows
//
//   forward   y[r]    = sqrt(sum_c x[r,c]^2)
//   backward  dx[r,c] = dy[r] x[r,c] / y[r];   0 where y[r] = 0
//
// shapes    x, dx: [rows, cols]; y, dy: [rows]
// parallel  forward: LANES lanes per row (rows.wgsl); backward: one invocation per element
// numerics  squares overflow to infinity from 1.8e19 on, and vanish below 1e-23; NaN is passed on by hand

struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> yIn: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  // Every invocation must reach the barriers of the sum.
  let end = start + select(0u, params.cols, row < params.rows);
  var sum = 0.0;
  for (var i = start + lid % LANES; i < end; i += LANES) { sum += x[i] * x[i]; }
  sum = rowSum(lid, sum);
  if (row < params.rows && lid % LANES == 0u) { y[row] = select(sqrt(sum), sum, isNan(sum)); }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.rows * params.cols) { return; }
  let row = i / params.cols;
  let norm = yIn[row];
  if (norm == 0.0) {
    dx[i] = 0.0;
  } else {
    dx[i] = dy[row] * select(x[i] / norm, norm, isNan(norm));
  }
}
