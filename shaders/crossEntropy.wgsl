// crossEntropy: the cross-entropy of rows of logits, with weights of classes and rows
//
//   m[r] = max_c x[r,c],  s[r] = sum_c exp(x[r,c] - m[r]),  w = weight,  u = sampleWeight
//   target    t[r,c] = (1 - smoothing) w[labels[r]] (c = labels[r]) + smoothing / cols w[c]
//   forward   l[r]  = u[r] sum_c t[r,c] (log s[r] + (m[r] - x[r,c]));   0 if labels[r] is the ignored label
//             loss  = l[r]: none;   sum_r l[r]: sum;   sum_r l[r] / W: mean
//             W     = sum_r w[labels[r]] over rows that are not ignored, or their number if there is a u or no w
//   backward  dx[r,c] = dloss[r] u[r] (sum_k t[r,k] exp(x[r,c] - m[r]) / s[r] - t[r,c])         none
//             dloss instead of dloss[r]: sum;   dloss / W: mean;   0 for logits beyond the rows
//   accuracy  loss[64] = 100 / rows * the number of rows whose largest logit is at their label        with ACCURACY
//
// shapes    logits x, dlogits: [rows or more, cols]; labels: [rows] u32; weight: [cols]; sampleWeight: [rows]; loss, dloss: [rows] or [],
//           with ACCURACY [65]; rowStats: [rows] of (m, 1 / s); totals: [workgroups] of (sum of l, W, sum of w over all classes, right
//           rows), finally all in the first
// parallel  forward: LANES lanes per row (rows.wgsl, softmax.row.wgsl, accuracy.row.wgsl); workgroups take blocks of rows in turn.
//           Several leave partial sums to `total`. A single one needs no second dispatch, and can compute `elements` numbers of
//           dlogits too, for dloss = 1. backward: one invocation per element
// numerics  backward reads m and 1 / s instead of log-sum-exp, which has too few digits at logits of 1e4. A label >= cols, a largest
//           logit that is not finite and W = 0 give NaN, as in PyTorch; with weightless = 1, W < 2^-126 gives loss and gradient 0

// Whether smoothing > 0.
override SMOOTH = false;
override ACCURACY = false;

struct Params {
  rows: u32, cols: u32, weighted: u32, sampleWeighted: u32, each: u32, mean: u32, weightless: u32, groups: u32,
  ignores: u32, ignored: u32, smoothing: f32, elements: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// Without weights the logits are bound here and not read.
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> sampleWeight: array<f32>;
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> rowStats: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> totals: array<vec4f>;
@group(0) @binding(8) var<storage, read> rowStatsIn: array<vec2f>;
@group(0) @binding(9) var<storage, read> totalsIn: array<vec4f>;
@group(0) @binding(10) var<storage, read> dloss: array<f32>;
@group(0) @binding(11) var<storage, read_write> dlogits: array<f32>;

fn classWeight(label: u32) -> f32 {
  if (label >= params.cols) { return nan(label); }
  if (params.weighted == 0u) { return 1.0; }
  return weight[label];
}

fn rowWeight(row: u32) -> f32 {
  if (params.sampleWeighted == 0u) { return 1.0; }
  return sampleWeight[row];
}

fn isIgnored(label: u32) -> bool { return params.ignores == 1u && label == params.ignored; }

// The part that a row adds to W.
fn share(row: u32) -> f32 {
  let label = labels[row];
  if (isIgnored(label)) { return 0.0; }
  if (params.sampleWeighted == 1u) { return 1.0; }
  return classWeight(label);
}

fn logit(i: u32) -> f32 { return logits[i]; }

// The loss of a row, the sum of w over all classes, which is computed only for smoothing, and whether the row is right.
fn lossOf(row: u32, lid: u32) -> vec3f {
  let start = row * params.cols;
  let end = start + select(0u, params.cols, row < params.rows);
  let stats = maxAndSum(lid, start, end, 1u, 1.0);
  var all = vec2f();
  if (SMOOTH) {
    for (var i = start + lid % LANES; i < end; i += LANES) {
      let w = classWeight(i - start);
      all += vec2f(w * (stats.x - logits[i]), w);
    }
    all = vec2f(rowSum(lid, all.x), rowSum(lid, all.y));
  }
  let label = labels[row];
  var right = 0.0;
  if (ACCURACY) { right = f32(isRight(lid, start, end - start, label, stats.x)); }
  if (row >= params.rows || lid % LANES != 0u) { return vec3f(); }
  rowStats[row] = vec2f(stats.x, 1.0 / stats.y);
  if (isIgnored(label)) { return vec3f(0.0, all.y, right); }
  if (isNan(stats.y) || label >= params.cols) { return vec3f(nan(label), all.y, right); }
  let logSum = log(stats.y);
  var l = classWeight(label) * (logSum + (stats.x - logits[start + label]));
  if (SMOOTH) { l = (1.0 - params.smoothing) * l + params.smoothing / f32(params.cols) * (all.y * logSum + all.x); }
  return vec3f(rowWeight(row) * l, all.y, right);
}

var<workgroup> sums: array<vec3f, WG>;

fn workgroupSum(lid: u32, v: vec3f) -> vec3f {
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

fn finish(sum: vec3f, ofClasses: f32) {
  totals[0] = vec4f(sum.xy, ofClasses, sum.z);
  if (ACCURACY) {
    // 256 bytes after the loss, so that a tensor of its own can begin there.
    if (params.rows == 0u) { loss[64] = nan(params.rows); } else { loss[64] = 100.0 * sum.z / f32(params.rows); }
  }
  if (params.mean == 0u) {
    loss[0] = sum.x;
  } else if (weighsNothing(sum.y)) {
    // Every term is 0, or NaN if a logit is NaN.
    loss[0] = select(nan(params.rows), sum.x, params.weightless == 1u);
  } else {
    loss[0] = sum.x / sum.y;
  }
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let rowsAtOnce = WG / LANES;
  var sum = vec3f();
  // Lane 0 of a workgroup has a row in every block, so it always knows this sum.
  var ofClasses = 0.0;
  for (var first = wid.x * rowsAtOnce; first < params.rows; first += params.groups * rowsAtOnce) {
    let row = first + lid / LANES;
    let l = lossOf(row, lid);
    ofClasses = l.y;
    if (row < params.rows && lid % LANES == 0u) {
      if (params.each == 1u) { loss[row] = l.x; }
      sum += vec3f(l.x, share(row), l.z);
    }
  }
  if (params.each == 1u) {
    if (SMOOTH && lid == 0u) { totals[wid.x] = vec4f(0.0, 0.0, ofClasses, 0.0); }
    return;
  }
  sum = workgroupSum(lid, sum);
  if (lid == 0u) {
    if (params.groups == 1u) { finish(sum, ofClasses); } else { totals[wid.x] = vec4f(sum.xy, ofClasses, sum.z); }
  }
  if (params.elements == 0u) { return; }
  storageBarrier(); // rowStats and totals[0] are complete
  for (var i = lid; i < params.elements; i += WG) {
    let row = i / params.cols;
    if (row < params.rows) { dlogits[i] = slope(i, row, rowStats[row], totals[0], 1.0); } else { dlogits[i] = 0.0; }
  }
}

@compute @workgroup_size(WG)
fn total(@builtin(local_invocation_index) lid: u32) {
  var sum = vec3f();
  for (var i = lid; i < params.groups; i += WG) { sum += totals[i].xyw; }
  let ofClasses = totals[0].z;
  // finish overwrites totals[0]: the barriers of the sum keep it until every invocation has read it.
  sum = workgroupSum(lid, sum);
  if (lid == 0u) { finish(sum, ofClasses); }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.elements) { return; }
  let row = i / params.cols;
  if (row >= params.rows) {
    dlogits[i] = 0.0;
    return;
  }
  dlogits[i] = slope(i, row, rowStatsIn[row], totalsIn[0], dloss[select(0u, row, params.each == 1u)]);
}

fn slope(i: u32, row: u32, stats: vec2f, total: vec4f, upstream: f32) -> f32 {
  let label = labels[row];
  let c = i - row * params.cols;
  let ignored = isIgnored(label);
  var g = upstream * rowWeight(row);
  if (!SMOOTH && !ignored) { g *= classWeight(label); }
  let weightless = params.mean == 1u && weighsNothing(total.y);
  if (params.mean == 1u && !weightless) { g /= total.y; }
  let p = exp(logits[i] - stats.x) * stats.y;
  // The sum of t over all classes, and t of this class.
  var t = vec2f(1.0, f32(c == label));
  if (SMOOTH) {
    t *= (1.0 - params.smoothing) * classWeight(label);
    t += params.smoothing / f32(params.cols) * vec2f(total.z, classWeight(c));
  }
  let dx = g * (t.x * p - t.y);
  // WGSL leaves the results of 0/0 and of NaN times 0 to the device.
  let undefined = label >= params.cols || isNan(g) || isNan(t.x) || (weightless && params.weightless == 0u);
  return select(select(dx, 0.0, ignored), nan(i), isNan(stats.y) || (undefined && !ignored));
}
