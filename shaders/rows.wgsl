// rows: what kernels share that walk along the rows of a matrix
//
//   lane s of a row takes columns s, s + LANES, s + 2 LANES, ... and all its lanes get
//   rowSum = sum over the lanes      rowMax = largest over the lanes
//
// shapes    a workgroup of 64 takes 64 / LANES rows at a time; LANES is 1, 2, 4, ... 64
// parallel  lanes meet in a tree in workgroup memory; a row of one lane needs neither tree nor barrier
// numerics  the order of additions is fixed; a NaN is the largest of all, which max() would not warrant

const WG = 64u;
override LANES = 1u;
var<workgroup> laneParts: array<f32, WG>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn isFinite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u; }

// A quiet NaN, made of a run-time value: a constant one does not compile.
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
  // Everybody has read it before the parts are written again.
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

// log q, at least -100 as in PyTorch's losses of probabilities; NaN if there is none. A device may take numbers too small
// for a full mantissa for 0, so their logarithm is that of their bits, of which they are 2^-149 times.
fn clampedLog(q: f32) -> f32 {
  let bits = bitcast<u32>(q);
  if (isNan(q) || bits > 0x80000000u) { return nan(bits); }
  if (bits == 0u || bits == 0x80000000u) { return -100.0; }
  if (bits < 0x00800000u) { return max(log(f32(bits)) - 103.27893, -100.0); }
  return log(q);
}
