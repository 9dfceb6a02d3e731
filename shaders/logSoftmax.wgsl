// logSoftmax: logarithms of the probabilities of rows of logits, with temperature
//
//   forward   y[r,c]  = (x[r,c] - m[r]) / T - log sum_k exp((x[r,k] - m[r]) / T),   m[r] = max_k x[r,k]
//   backward  dx[r,c] = (dy[r,c] - exp(y[r,c]) sum_k dy[r,k]) / T
//
// shapes    x, y, dy, dx: [rows / inner, cols, inner], each row along the second dimension; scale = 1 / T
// parallel  LANES lanes a row (rows.wgsl)
// numerics  no logarithm of a small probability is taken (softmax.row.wgsl). y is computed from halves of x and m: x - m may
//           overflow although (x - m) / T fits f32. Backward reads y; exp may lose its NaN.

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
  let logSum = select(log(stats.y), stats.y, isNan(stats.y));
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { y[i] = (0.5 * x[i] - 0.5 * stats.x) * (2.0 * params.scale) - logSum; }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let step = select(1u, params.inner, STRIDED);
  let start = row / step * params.cols * step + row % step;
  let end = start + select(0u, params.cols * step, row < params.rows);
  var sum = 0.0;
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { sum += dy[i]; }
  sum = rowSum(lid, sum);
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) {
    let p = select(exp(yIn[i]), yIn[i], isNan(yIn[i]));
    dx[i] = (dy[i] - p * sum) * params.scale;
  }
}
