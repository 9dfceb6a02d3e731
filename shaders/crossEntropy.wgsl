// crossEntropy: how far rows of logits are from their labels, each class and each row weighted
//
//   m[r] = max_c x[r,c],  s[r] = sum_c exp(x[r,c] - m[r]),  w[r] = weight[labels[r]] * sampleWeight[r]
//   forward   l[r]  = w[r] (log s[r] + (m[r] - x[r,labels[r]]))
//             loss  = l[r]: none;   sum_r l[r]: sum;   sum_r l[r] / W: mean
//             W     = sum_r weight[labels[r]], or rows if there is a sampleWeight or no weight
//   backward  dx[r,c] = dloss[r] w[r] (exp(x[r,c] - m[r]) / s[r] - (c = labels[r]))         none
//             dloss for dloss[r]: sum;   dloss / W for dloss[r]: mean
//
// shapes    logits x, dlogits: [rows, cols]; labels: [rows] u32; weight: [cols]; sampleWeight: [rows]; loss, dloss: [rows] or [];
//           rowStats: [rows] of (m, 1 / s); totals: [workgroups] of (sum of l, W), the first of them holds all in the end
// parallel  forward: LANES lanes a row (rows.wgsl, softmax.row.wgsl), workgroups take blocks of rows in turn; one workgroup needs no second dispatch,
//           several leave partial sums to total; backward: one invocation an element
// numerics  backward reads m and 1 / s, not log-sum-exp, which has too few digits at logits of 1e4; a label >= cols, a largest
//           logit that is not finite and W = 0 give NaN as in PyTorch; with weightless = 1, W < 2^-126 gives a loss and
//           a gradient of 0

struct Params { rows: u32, cols: u32, weighted: u32, sampleWeighted: u32, each: u32, mean: u32, weightless: u32, groups: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// In place of weights that are not there logits are bound, and not read.
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> sampleWeight: array<f32>;
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> rowStats: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> totals: array<vec2f>;
@group(0) @binding(8) var<storage, read> rowStatsIn: array<vec2f>;
@group(0) @binding(9) var<storage, read> totalsIn: array<vec2f>;
@group(0) @binding(10) var<storage, read> dloss: array<f32>;
@group(0) @binding(11) var<storage, read_write> dlogits: array<f32>;

fn classWeight(label: u32) -> f32 {
  if (label >= params.cols) { return nan(label); }
  if (params.weighted == 0u) { return 1.0; }
  return weight[label];
}

fn rowWeight(row: u32) -> f32 {
  let w = classWeight(labels[row]);
  if (params.sampleWeighted == 0u) { return w; }
  return w * sampleWeight[row];
}

// Its share in W.
fn share(row: u32) -> f32 {
  if (params.sampleWeighted == 1u) { return 1.0; }
  return classWeight(labels[row]);
}

fn logit(i: u32) -> f32 { return logits[i]; }

fn lossOf(row: u32, lid: u32) -> f32 {
  let start = row * params.cols;
  let stats = maxAndSum(lid, start, start + select(0u, params.cols, row < params.rows), 1.0);
  if (row >= params.rows || lid % LANES != 0u) { return 0.0; }
  rowStats[row] = vec2f(stats.x, 1.0 / stats.y);
  let label = labels[row];
  if (isNan(stats.y) || label >= params.cols) { return nan(label); }
  return rowWeight(row) * (log(stats.y) + (stats.x - logits[start + label]));
}

var<workgroup> sums: array<vec2f, WG>;

fn workgroupSum(lid: u32, v: vec2f) -> vec2f {
  sums[lid] = v;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lid < half) { sums[lid] += sums[lid + half]; }
    workgroupBarrier();
  }
  return sums[0];
}

// WGSL's division is undefined below the smallest normal number.
fn weighsNothing(W: f32) -> bool {
  return select(W == 0.0, abs(W) < 0x1p-126, params.weightless == 1u);
}

fn finish(sum: vec2f) {
  totals[0] = sum;
  if (params.mean == 0u) {
    loss[0] = sum.x;
  } else if (weighsNothing(sum.y)) {
    // Its terms are 0, or NaN where a logit is.
    loss[0] = select(nan(params.rows), sum.x, params.weightless == 1u);
  } else {
    loss[0] = sum.x / sum.y;
  }
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let rowsAtOnce = WG / LANES;
  var sum = vec2f();
  for (var first = wid.x * rowsAtOnce; first < params.rows; first += params.groups * rowsAtOnce) {
    let row = first + lid / LANES;
    let l = lossOf(row, lid);
    if (row < params.rows && lid % LANES == 0u) {
      if (params.each == 1u) { loss[row] = l; }
      sum += vec2f(l, share(row));
    }
  }
  if (params.each == 1u) { return; }
  sum = workgroupSum(lid, sum);
  if (lid == 0u) {
    if (params.groups == 1u) { finish(sum); } else { totals[wid.x] = sum; }
  }
}

@compute @workgroup_size(WG)
fn total(@builtin(local_invocation_index) lid: u32) {
  var sum = vec2f();
  for (var i = lid; i < params.groups; i += WG) { sum += totals[i]; }
  // Behind the barriers of the sum nobody reads totals any more.
  sum = workgroupSum(lid, sum);
  if (lid == 0u) { finish(sum); }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.rows * params.cols) { return; }
  let row = i / params.cols;
  let stats = rowStatsIn[row];
  let label = labels[row];
  var g = dloss[select(0u, row, params.each == 1u)] * rowWeight(row);
  let weightless = params.mean == 1u && weighsNothing(totalsIn[0].y);
  if (params.mean == 1u && !weightless) { g /= totalsIn[0].y; }
  let p = exp(logits[i] - stats.x) * stats.y;
  let dx = g * (p - f32(i % params.cols == label));
  // 0/0, and a NaN times 0, are left to the device by WGSL.
  let undefined = isNan(stats.y) || isNan(g) || (weightless && params.weightless == 0u);
  dlogits[i] = select(dx, nan(i), undefined);
}
