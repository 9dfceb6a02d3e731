// accuracy: the percentage of rows whose largest logit is at their label
//
//   right[r] = x[r,labels[r]] is the largest of its row and the first of equals        NaN is the largest, as in PyTorch
//   percent  = 100 / rows * sum_r right[r]
//
// shapes    logits x: [rows, cols]; labels: [rows] u32; percent: []
// parallel  one workgroup takes all blocks of rows in turn, with LANES lanes per row (rows.wgsl, accuracy.row.wgsl)
// numerics  counts are whole numbers; a label >= cols counts as wrong; without rows the result is NaN

struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> percent: array<f32>;

// Lanes whose row is beyond the last still reach every barrier of the workgroup.
fn rightRow(row: u32, lid: u32) -> bool {
  let inside = row < params.rows;
  let start = row * params.cols;
  let cols = select(0u, params.cols, inside);
  var m = select(0.0, logits[start], inside);
  for (var c = lid % LANES; c < cols; c += LANES) { m = larger(m, logits[start + c]); }
  return isRight(lid, start, cols, labels[row], rowMax(lid, m));
}

var<workgroup> counts: array<u32, WG>;

@compute @workgroup_size(WG)
fn forward(@builtin(local_invocation_index) lid: u32) {
  var count = 0u;
  for (var first = 0u; first < params.rows; first += WG / LANES) {
    let right = rightRow(first + lid / LANES, lid);
    count += u32(right && lid % LANES == 0u);
  }
  counts[lid] = count;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lid < half) { counts[lid] += counts[lid + half]; }
    workgroupBarrier();
  }
  if (lid > 0u) { return; }
  if (params.rows == 0u) { percent[0] = nan(params.rows); } else { percent[0] = 100.0 * f32(counts[0]) / f32(params.rows); }
}
