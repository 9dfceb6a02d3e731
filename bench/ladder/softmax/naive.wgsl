// naive: writes the probabilities to memory, then computes the means of their columns
//
//   probabilities   p[r,c] = exp((x[r,c] - m[r]) / T) / sum_k exp((x[r,k] - m[r]) / T),   m[r] = max_k x[r,k]
//   columns         y[c] = 1/rows sum_r p[r,c]
//
// The probabilities, as large as x, are written and read for a result of one row. x is read three times, and each exponential is
// computed twice.
//
// shapes    x, p: [rows, cols], y: [cols]
// parallel  probabilities: one row per invocation; columns: one column per invocation
// numerics  one running sum per row, and per column

struct Params { rows: u32, cols: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<storage, read> pIn: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn probabilities(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.cols;
  var m = x[first];
  for (var c = 1u; c < params.cols; c++) { m = max(m, x[first + c]); }
  var sum = 0.0;
  for (var c = 0u; c < params.cols; c++) { sum += exp((x[first + c] - m) * params.scale); }
  for (var c = 0u; c < params.cols; c++) { p[first + c] = exp((x[first + c] - m) * params.scale) / sum; }
}

@compute @workgroup_size(64)
fn columns(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.cols) { return; }
  var sum = 0.0;
  for (var r = 0u; r < params.rows; r++) { sum += pIn[r * params.cols + id.x]; }
  y[id.x] = sum / f32(params.rows);
}
