// softmax: rows of logits to probabilities, with temperature
//
//   forward   y[r,c]  = exp((x[r,c] - m[r]) / T) / sum_k exp((x[r,k] - m[r]) / T),   m[r] = max_k x[r,k]
//   backward  dx[r,c] = y[r,c] * (dy[r,c] - sum_k dy[r,k] y[r,k]) / T
//
// shapes    x, y, dy, dx: [rows / inner, cols, inner], each row along the second dimension; scale = 1 / T
// parallel  LANES lanes a row (rows.wgsl)
// numerics  the largest is subtracted before the division by T (softmax.row.wgsl). Backward reads y, so x need not be kept.

// Whether rows run along another dimension than the last: their elements are `inner` apart then.
override STRIDED = false;

struct Params { rows: u32, cols: u32, inner: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> yIn: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn logit(i: u32) -> f32 { return x[i]; }

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let step = select(1u, params.inner, STRIDED);
  let start = row / step * params.cols * step + row % step;
  let end = start + select(0u, params.cols * step, row < params.rows);
  let stats = maxAndSum(lid, start, end, step, params.scale);
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { y[i] = exp((x[i] - stats.x) * params.scale) / stats.y; }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let step = select(1u, params.inner, STRIDED);
  let start = row / step * params.cols * step + row % step;
  let end = start + select(0u, params.cols * step, row < params.rows);
  var sum = 0.0;
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { sum += dy[i] * yIn[i]; }
  sum = rowSum(lid, sum);
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { dx[i] = yIn[i] * (dy[i] - sum) * params.scale; }
}
