// accuracy.row: whether a row's largest logit is at its label
//
//   right = label < cols,  x[label] = m,  and no x[c] = m with c < label        NaN is the largest, as in PyTorch
//
// shapes    a row is logits[start], ..., logits[start + cols - 1]; m is its largest element; the kernel that is joined binds logits
// parallel  LANES lanes per row (rows.wgsl); for a row beyond the last cols is 0, but its lanes still reach every barrier
// numerics  exact: compares only

fn same(v: f32, largest: f32) -> bool { return select(v == largest, isNan(v), isNan(largest)); }

fn isRight(lid: u32, start: u32, cols: u32, label: u32, m: f32) -> bool {
  var before = 0.0;
  for (var c = lid % LANES; c < min(label, cols); c += LANES) { before += f32(same(logits[start + c], m)); }
  before = rowSum(lid, before);
  return label < cols && before == 0.0 && same(logits[start + label], m);
}
