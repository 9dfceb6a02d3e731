// pseudoLabels: labels that a classifier is sure of, given class weights
//
//   q[r,c]    = exp(x[r,c] - max_k x[r,k]) w[c]
//   labels[r] = argmax_c q[r,c]                                        the first of equals
//   mask[r]   = 1 if max_c q[r,c] >= threshold sum_c q[r,c], else 0
//   balance   weight[r] = v[r] sum_i mask[i] / sum_i v[i],   v[r] = mask[r] w[labels[r]] / sum_i (mask[i] if labels[i] = labels[r])
//
// shapes    logits x: [rows, cols]; classWeight w: [cols]; labels: [rows] u32; mask, weight: [rows]
// parallel  forward: LANES lanes per row (rows.wgsl, softmax.row.wgsl)
//           balance: one workgroup; an invocation takes every 64th row and compares its label with all others
// numerics  mask is NaN if a row's sum is NaN or 0, so that the loss is NaN too

struct Params { rows: u32, cols: u32, threshold: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> classWeight: array<f32>;
@group(0) @binding(3) var<storage, read_write> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> mask: array<f32>;
@group(0) @binding(5) var<storage, read> labelsIn: array<u32>;
@group(0) @binding(6) var<storage, read> maskIn: array<f32>;
@group(0) @binding(7) var<storage, read_write> weight: array<f32>;

fn logit(i: u32) -> f32 { return logits[i]; }

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let start = row * params.cols;
  let end = select(start, start + params.cols, row < params.rows);
  let stats = maxAndSum(lid, start, end, 1u, 1.0);
  var best = -1.0;
  var at = 0u;
  var sum = 0.0;
  for (var i = start + lid % LANES; i < end; i += LANES) {
    let q = exp(logits[i] - stats.x) * classWeight[i - start];
    sum += q;
    if (q > best) {
      best = q;
      at = i - start;
    }
  }
  sum = rowSum(lid, sum);
  let top = rowMax(lid, best);
  // Whole numbers below 2^24 are exact.
  let first = rowMax(lid, select(0.0, f32(params.cols - at), best == top));
  if (row >= params.rows || lid % LANES != 0u) { return; }
  labels[row] = params.cols - u32(first);
  let undefined = isNan(stats.y) || isNan(sum) || sum == 0.0;
  mask[row] = select(select(0.0, 1.0, top >= params.threshold * sum), nan(row), undefined);
}

// The kept rows of a class share its weight.
fn share(row: u32) -> f32 {
  if (maskIn[row] == 0.0) { return 0.0; }
  var alike = 0.0;
  for (var i = 0u; i < params.rows; i++) { alike += select(0.0, maskIn[i], labelsIn[i] == labelsIn[row]); }
  return maskIn[row] * classWeight[labelsIn[row]] / alike;
}

@compute @workgroup_size(WG)
fn balance(@builtin(local_invocation_index) lid: u32) {
  var kept = 0.0;
  var shares = 0.0;
  for (var row = lid; row < params.rows; row += WG) {
    kept += maskIn[row];
    shares += share(row);
  }
  kept = rowSum(lid, kept);
  shares = rowSum(lid, shares);
  for (var row = lid; row < params.rows; row += WG) {
    weight[row] = select(share(row) * kept / shares, 0.0, maskIn[row] == 0.0);
  }
}
