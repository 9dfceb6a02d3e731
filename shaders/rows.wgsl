// rows: shared by kernels that reduce the rows of a matrix
//
//   lane s of a row takes columns s, s + LANES, s + 2 LANES, ...; every lane of the row gets
//   rowSum = sum over the lanes      rowMax = largest over the lanes
//
// shapes    a workgroup of 64 takes 64 / LANES rows at a time; LANES is a power of two from 1 to 64
// parallel  a tree in workgroup memory joins the lanes; a row with a single lane needs neither tree nor barrier
// numerics  the order of additions is fixed; NaN is the largest of all, which max() would not guarantee

const WG = 64u;
override LANES = 1u;
var<workgroup> laneParts: array<f32, WG>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn isFinite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u; }

// A quiet NaN. It is made from a run-time value, because a constant NaN does not compile.
fn nan(any: u32) -> f32 { return bitcast<f32>(0x7fc00000u | (any & 1u)); }

fn larger(a: f32, b: f32) -> f32 { return select(a, b, !isNan(a) && (b > a || isNan(b))); }

fn rowSum(lid: u32, v: f32) -> f32 {
  if (LANES == 1u) { return v; }
  laneParts[lid] = v;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lid % LANES < half) { laneParts[lid] += laneParts[lid + half]; }
    workgroupBarrier();
  }
  let sum = laneParts[lid - lid % LANES];
  // All lanes must have read the sum before the parts are written again.
  workgroupBarrier();
  return sum;
}

fn rowMax(lid: u32, v: f32) -> f32 {
  if (LANES == 1u) { return v; }
  laneParts[lid] = v;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lid % LANES < half) { laneParts[lid] = larger(laneParts[lid], laneParts[lid + half]); }
    workgroupBarrier();
  }
  let largest = laneParts[lid - lid % LANES];
  workgroupBarrier();
  return largest;
}

// max(log q, -100), as in PyTorch's losses of probabilities; NaN if q < 0. A device may treat subnormal numbers as 0, so their
// logarithm is computed from their bits: they are bits * 2^-149.
fn clampedLog(q: f32) -> f32 {
  let bits = bitcast<u32>(q);
  if (isNan(q) || bits > 0x80000000u) { return nan(bits); }
  if (bits == 0u || bits == 0x80000000u) { return -100.0; }
  if (bits < 0x00800000u) { return max(log(f32(bits)) - 103.27893, -100.0); }
  return log(q);
}
