// statistics: writes only two numbers per row, both from one pass over the row
//
//   rows      m, s of a row in one pass: when the maximum m grows, the sum s is scaled by exp((old m - new m) / T)
//   columns   partial[part, c] = sum over some of the rows of exp((x[r,c] - m[r]) / T) / s[r]
//   sum       y[c] = 1/rows sum_part partial[part, c]
//
// x is read twice, and nothing of its size is written. The rows of a column are added in PARTS parallel parts, so that a matrix of few
// columns keeps the device busy.
//
// shapes    x: [rows, cols], stats: [rows] of (m, 1 / s), partial: [PARTS, cols], y: [cols]
// parallel  rows: one row per invocation; columns: every PARTS-th row of one column per invocation; sum: one column per invocation
// numerics  parts are added in a fixed order, so the result has the same bits every time

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
