// snd: soft neighbourhood density of each prediction: over how many similar predictions it spreads
//
//   s[j,i] = <u[j], u[i]> / T,   s[j,j] = -1 / T        u: rows of probabilities, each divided by its 2-norm
//   q[j,i] = exp(s[j,i]) / sum_k exp(s[j,k])
//   y[j]   = - sum_i q[j,i] log(q[j,i] + 1e-5)
//
// shapes    u: [rows, cols]; y: [rows]
// parallel  LANES lanes per row j (rows.wgsl) share the rows i; the [rows, rows] similarities are computed twice and never stored
// numerics  s <= 1/T, so 1/T is subtracted before exp and nothing overflows; the caller refuses NaN

struct Params { rows: u32, cols: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn weight(j: u32, i: u32) -> f32 {
  var s = 0.0;
  for (var c = 0u; c < params.cols; c++) { s += u[j * params.cols + c] * u[i * params.cols + c]; }
  return exp((select(s, -1.0, i == j) - 1.0) * params.scale);
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  // Lanes beyond the last row take part in the barriers.
  let end = select(0u, params.rows, j < params.rows);
  var total = 0.0;
  for (var i = lid % LANES; i < end; i += LANES) { total += weight(j, i); }
  let norm = rowSum(lid, total);
  var entropy = 0.0;
  for (var i = lid % LANES; i < end; i += LANES) {
    let q = weight(j, i) / norm;
    entropy -= q * log(q + 1e-5);
  }
  let sum = rowSum(lid, entropy);
  if (j < params.rows && lid % LANES == 0u) { y[j] = sum; }
}
