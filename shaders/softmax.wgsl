// softmax: turns each row of logits into probabilities, or into their logarithms, with temperature
//
//   forward      y[r,c]  = exp((x[r,c] - m[r]) / T) / sum_k exp((x[r,k] - m[r]) / T),   m[r] = max_k x[r,k]
//   backward     dx[r,c] = y[r,c] * (dy[r,c] - sum_k dy[r,k] y[r,k]) / T
//   logForward   y[r,c]  = (x[r,c] - m[r]) / T - log sum_k exp((x[r,k] - m[r]) / T)
//   logBackward  dx[r,c] = (dy[r,c] - exp(y[r,c]) sum_k dy[r,k]) / T
//
// shapes    x, y, dy, dx: [rows / inner, cols, inner]; a row runs along the middle dimension; scale = 1 / T
// parallel  LANES lanes per row (rows.wgsl)
// numerics  subtracting the largest logit before dividing by T keeps exp from overflowing (softmax.row.wgsl). logForward never takes
//           the logarithm of a small probability. It halves x and m first, because x - m may overflow although (x - m) / T fits
//           f32. Both backwards read y, so x need not be kept; exp may turn a NaN into a number, so NaN is passed on by hand

// True if rows run along a dimension that is not the last: their elements are then `inner` apart.
override STRIDED = false;

struct Params { rows: u32, cols: u32, inner: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> yIn: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn logit(i: u32) -> f32 { return x[i]; }

// The elements of a lane's row: start, start + step, ... below end, and the lane's own first one. A row beyond the last is empty.
struct Row { start: u32, end: u32, step: u32, first: u32 }

fn rowOf(group: u32, lid: u32) -> Row {
  let row = group * (WG / LANES) + lid / LANES;
  let step = select(1u, params.inner, STRIDED);
  let start = row / step * params.cols * step + row % step;
  return Row(start, start + select(0u, params.cols * step, row < params.rows), step, start + lid % LANES * step);
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let r = rowOf(wid.y * groups.x + wid.x, lid);
  let stats = maxAndSum(lid, r.start, r.end, r.step, params.scale);
  for (var i = r.first; i < r.end; i += LANES * r.step) { y[i] = exp((x[i] - stats.x) * params.scale) / stats.y; }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let r = rowOf(wid.y * groups.x + wid.x, lid);
  var sum = 0.0;
  for (var i = r.first; i < r.end; i += LANES * r.step) { sum += dy[i] * yIn[i]; }
  sum = rowSum(lid, sum);
  for (var i = r.first; i < r.end; i += LANES * r.step) { dx[i] = yIn[i] * (dy[i] - sum) * params.scale; }
}

@compute @workgroup_size(WG)
fn logForward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let r = rowOf(wid.y * groups.x + wid.x, lid);
  let stats = maxAndSum(lid, r.start, r.end, r.step, params.scale);
  let logSum = select(log(stats.y), stats.y, isNan(stats.y));
  for (var i = r.first; i < r.end; i += LANES * r.step) { y[i] = (0.5 * x[i] - 0.5 * stats.x) * (2.0 * params.scale) - logSum; }
}

@compute @workgroup_size(WG)
fn logBackward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let r = rowOf(wid.y * groups.x + wid.x, lid);
  var sum = 0.0;
  for (var i = r.first; i < r.end; i += LANES * r.step) { sum += dy[i]; }
  sum = rowSum(lid, sum);
  for (var i = r.first; i < r.end; i += LANES * r.step) {
    let p = select(exp(yIn[i]), yIn[i], isNan(yIn[i]));
    dx[i] = (dy[i] - p * sum) * params.scale;
  }
}
