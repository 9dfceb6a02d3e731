// logSoftmax: logarithms of the probabilities of rows of logits, with temperature
//
//   forward   y[r,c]  = (x[r,c] - m[r]) / T - log sum_k exp((x[r,k] - m[r]) / T),   m[r] = max_k x[r,k]
//   backward  dx[r,c] = (dy[r,c] - exp(y[r,c]) sum_k dy[r,k]) / T
//
// shapes    x, y, dy, dx: [rows, cols], row-major; scale = 1 / T
// parallel  LANES lanes a row (rows.wgsl)
// numerics  no logarithm of a small probability is taken (softmax.row.wgsl). Backward reads y; exp may lose its NaN.

struct Params { rows: u32, cols: u32, scale: f32 }
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
  let start = row * params.cols;
  let end = start + select(0u, params.cols, row < params.rows);
  let stats = maxAndSum(lid, start, end, params.scale);
  let logSum = select(log(stats.y), stats.y, isNan(stats.y));
  for (var i = start + lid % LANES; i < end; i += LANES) { y[i] = (x[i] - stats.x) * params.scale - logSum; }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  let end = start + select(0u, params.cols, row < params.rows);
  var sum = 0.0;
  for (var i = start + lid % LANES; i < end; i += LANES) { sum += dy[i]; }
  sum = rowSum(lid, sum);
  for (var i = start + lid % LANES; i < end; i += LANES) {
    let p = select(exp(yIn[i]), yIn[i], isNan(yIn[i]));
    dx[i] = (dy[i] - p * sum) * params.scale;
  }
}
