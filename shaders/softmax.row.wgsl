// softmax.row: the largest logit of a row and the sum of its exponentials
//
//   m = max_c x[c],   s = sum_c exp(scale (x[c] - m))
//
// shapes    a row is logit(start), logit(start + step), ... below end; the kernel that is joined defines logit(i), element i
// parallel  LANES lanes per row (rows.wgsl); a row beyond the last is empty, but its lanes still reach every barrier
// numerics  exp cannot overflow; s is NaN if the largest element is NaN or infinite, as in PyTorch

fn maxAndSum(lid: u32, start: u32, end: u32, step: u32, scale: f32) -> vec2f {
  var m = logit(start);
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { m = larger(m, logit(i)); }
  m = rowMax(lid, m);
  var s = 0.0;
  for (var i = start + lid % LANES * step; i < end; i += LANES * step) { s += exp((logit(i) - m) * scale); }
  s = rowSum(lid, s);
  return vec2f(m, select(nan(lid), s, isFinite(m)));
}
