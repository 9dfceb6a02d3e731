// layerNorm: normalises each row to mean 0 and variance 1, then scales and shifts its elements (Ba et al. 2016)
//
//   forward   y[r,c]  = n[r,c] weight[c] + bias[c],   n[r,c] = (x[r,c] - m[r]) s[r]
//             m[r]    = mean_c x[r,c],   s[r] = 1 / sqrt(mean_c (x[r,c] - m[r])^2 + eps)
//   backward  dx[r,c] = s[r] (g[r,c] - mean_k g[r,k] - n[r,c] mean_k g[r,k] n[r,k]),   g = dy weight
//   dweight   part[r,c] = dy[r,c] n[r,c], which sum.wgsl adds up over the rows
//
// shapes    x, y, dy, dx, part: [rows, cols]; weight, bias: [cols]; stats: [rows, 2], m and s
// parallel  LANES lanes per row (rows.wgsl); dweight: one invocation per element
// numerics  two passes: the variance is the mean of squared distances from the mean, which subtracting squares would not keep

struct Params { rows: u32, cols: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;
@group(0) @binding(6) var<storage, read> statsIn: array<f32>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;
@group(0) @binding(9) var<storage, read_write> part: array<f32>;

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  // Every invocation must reach the barriers of the sums.
  let end = select(0u, params.cols, row < params.rows);
  var sum = 0.0;
  for (var c = lid % LANES; c < end; c += LANES) { sum += x[start + c]; }
  let m = rowSum(lid, sum) / f32(params.cols);
  var squares = 0.0;
  for (var c = lid % LANES; c < end; c += LANES) { squares += (x[start + c] - m) * (x[start + c] - m); }
  let s = 1.0 / sqrt(rowSum(lid, squares) / f32(params.cols) + params.eps);
  for (var c = lid % LANES; c < end; c += LANES) { y[start + c] = (x[start + c] - m) * s * weight[c] + bias[c]; }
  if (row < params.rows && lid % LANES == 0u) {
    stats[2u * row] = m;
    stats[2u * row + 1u] = s;
  }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  let end = select(0u, params.cols, row < params.rows);
  let m = statsIn[2u * row];
  let s = statsIn[2u * row + 1u];
  var sum = 0.0;
  var along = 0.0;
  for (var c = lid % LANES; c < end; c += LANES) {
    let g = dy[start + c] * weight[c];
    sum += g;
    along += g * (x[start + c] - m) * s;
  }
  let meanOfG = rowSum(lid, sum) / f32(params.cols);
  let meanAlong = rowSum(lid, along) / f32(params.cols);
  for (var c = lid % LANES; c < end; c += LANES) {
    dx[start + c] = s * (dy[start + c] * weight[c] - meanOfG - (x[start + c] - m) * s * meanAlong);
  }
}

@compute @workgroup_size(WG)
fn dweight(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.rows * params.cols) { return; }
  let row = i / params.cols;
  part[i] = dy[i] * (x[i] - statsIn[2u * row]) * statsIn[2u * row + 1u];
}
