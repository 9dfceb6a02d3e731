// complementEntropy: how evenly a row's probability is spread over the classes that are not its label
//
//   S[r] = sum_{c != label} p[r,c],   q[r,c] = p[r,c] / (S[r] + 1e-7)
//   forward   y[r] = sum_{c != label} q[r,c] log(q[r,c] + 1e-10) / log(cols - 1),   rest[r] = S[r]
//   backward  g[r,c]  = dy[r] (log(q[r,c] + 1e-10) + q[r,c] / (q[r,c] + 1e-10)) / log(cols - 1)
//             dp[r,c] = (g[r,c] - sum_{k != label} g[r,k] q[r,k]) / (S[r] + 1e-7);   0 for the label
//
// shapes    p, dp: [rows, cols]; labels: [rows] u32; y, rest, dy: [rows]
// parallel  LANES lanes per row (rows.wgsl)
// numerics  S is summed, because 1 - p[r,label] has few digits if p[r,label] is close to 1. A NaN in a row and a label >= cols give NaN

struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> rest: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> dp: array<f32>;

// The elements of a lane's row: first, first + LANES, ... below end; a row beyond the last is empty. `own` is the label's element.
struct Row { row: u32, first: u32, end: u32, own: u32, undefined: bool }

fn rowOf(group: u32, lid: u32) -> Row {
  let row = group * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  let label = labels[min(row, params.rows - 1u)];
  let end = start + select(0u, params.cols, row < params.rows);
  return Row(row, start + lid % LANES, end, start + label, label >= params.cols);
}

fn restOf(r: Row, lid: u32) -> f32 {
  var sum = 0.0;
  for (var i = r.first; i < r.end; i += LANES) {
    if (i != r.own) { sum += p[i]; }
  }
  return rowSum(lid, sum);
}

fn slope(q: f32) -> f32 { return (log(q + 1e-10) + q / (q + 1e-10)) / log(f32(params.cols - 1u)); }

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let r = rowOf(wid.y * groups.x + wid.x, lid);
  let S = restOf(r, lid);
  var sum = 0.0;
  for (var i = r.first; i < r.end; i += LANES) {
    let q = p[i] / (S + 1e-7);
    if (i != r.own) { sum += q * log(q + 1e-10); }
  }
  sum = rowSum(lid, sum) / log(f32(params.cols - 1u));
  if (r.row < params.rows && lid % LANES == 0u) {
    let undefined = r.undefined || isNan(S);
    y[r.row] = select(sum, nan(r.row), undefined);
    rest[r.row] = select(S, nan(r.row), undefined);
  }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let r = rowOf(wid.y * groups.x + wid.x, lid);
  let S = restOf(r, lid);
  var along = 0.0;
  for (var i = r.first; i < r.end; i += LANES) {
    let q = p[i] / (S + 1e-7);
    if (i != r.own) { along += q * slope(q); }
  }
  along = rowSum(lid, along);
  for (var i = r.first; i < r.end; i += LANES) {
    let g = dy[r.row] * (slope(p[i] / (S + 1e-7)) - along) / (S + 1e-7);
    dp[i] = select(select(g, 0.0, i == r.own), nan(i), r.undefined || isNan(S));
  }
}
