// statistics: only two numbers of each row go to memory, and a row is read once for both
//
//   rows      m, s of a row in one pass: when the maximum grows, the sum so far is scaled by exp((old - new) / T)
//   columns   partial[part, c] = sum over some of the rows of exp((x[r,c] - m[r]) / T) / s[r]
//   sum       y[c] = 1/rows sum_part partial[part, c]
//
// x is read twice and nothing of its size is written. Columns are added up in parts side by side, so a matrix of few
// columns keeps the device busy.
//
// shapes    x: [rows, cols], stats: [rows] of (m, 1 / s), partial: [PARTS, cols], y: [cols]
// parallel  rows: a row an invocation; columns: a column of every PARTS-th row an invocation; sum: a column an invocation
// numerics  parts in order: the same bits every time

struct Params { rows: u32, cols: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read> statsIn: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;
@group(0) @binding(5) var<storage, read> partialsIn: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

const PARTS = 64u;

@compute @workgroup_size(64)
fn rows(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.cols;
  var m = x[first];
  var s = 0.0;
  for (var c = 0u; c < params.cols; c++) {
    let next = max(m, x[first + c]);
    s = s * exp((m - next) * params.scale) + exp((x[first + c] - next) * params.scale);
    m = next;
  }
  stats[id.x] = vec2f(m, 1.0 / s);
}

@compute @workgroup_size(64)
fn columns(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.cols) { return; }
  var sum = 0.0;
  for (var r = id.y; r < params.rows; r += PARTS) {
    sum += exp((x[r * params.cols + id.x] - statsIn[r].x) * params.scale) * statsIn[r].y;
  }
  partials[id.y * params.cols + id.x] = sum;
}

@compute @workgroup_size(64)
fn sum(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.cols) { return; }
  var total = 0.0;
  for (var part = 0u; part < PARTS; part++) { total += partialsIn[part * params.cols + id.x]; }
  y[id.x] = total / f32(params.rows);
}
