// softmaxColumnMean.subgroups: partial column sums of a softmax, with a row per subgroup and its lanes as columns
//
//   partials[part, c] = sum over the rows of the part of exp((x[r,c] - m[r]) / T) / s[r]          see softmaxColumnMean
//
// shapes    as in softmaxColumnMean; a lane holds PER_LANE columns, SIZE apart
// parallel  a workgroup is a part; its THREADS / SIZE subgroups take a row each. A lane reads its columns of the row once, keeps
//           them in registers, and adds their probabilities to sums that are in registers too. So x is read once, and there are
//           barriers only at the end, where each subgroup adds up some columns of all
// numerics  as in softmaxColumnMean

enable subgroups;

// Lanes of a subgroup.
override SIZE = 32u;
override THREADS = 256u;
override PER_LANE = 1u;
// THREADS THREADS / SIZE.
override SUMS = 2048u;

// A bit for each invocation that is the first of its subgroup.
var<workgroup> firsts: array<atomic<u32>, 8>;
// The sum of each subgroup, for one column per subgroup and lane.
var<workgroup> ofSubgroups: array<f32, SUMS>;

// Numbers the subgroups of a workgroup from 0. WGSL does not say which invocations form a subgroup.
fn numberOf(lid: u32) -> u32 {
  let first = subgroupMin(lid);
  if (lid == first) { atomicOr(&firsts[lid / 32u], 1u << (lid % 32u)); }
  workgroupBarrier();
  var number = 0u;
  for (var word = 0u; word < 8u; word++) {
    let before = select(0u, 0xffffffffu, word < first / 32u) | select(0u, (1u << (first % 32u)) - 1u, word == first / 32u);
    number += countOneBits(atomicLoad(&firsts[word]) & before);
  }
  return number;
}

@compute @workgroup_size(THREADS)
fn subgroups(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32, @builtin(subgroup_invocation_id) lane: u32) {
  let count = THREADS / SIZE;
  let number = numberOf(lid);
  var e: array<f32, HELD>;
  var sums: array<f32, HELD>;
  for (var first = wid.x * count; first < params.rows; first += params.parts * count) {
    let row = first + number;
    var m = LOWEST;
    var worst = 0u;
    for (var k = 0u; k < HELD; k++) {
      if (k >= PER_LANE) { break; }
      let c = lane + k * SIZE;
      e[k] = select(LOWEST, x[row * params.cols + c], c < params.cols && row < params.rows);
      m = max(m, e[k]);
      worst = max(worst, bitcast<u32>(e[k]) & 0x7fffffffu);
    }
    m = subgroupMax(m);
    var s = 0.0;
    for (var k = 0u; k < HELD; k++) {
      if (k >= PER_LANE) { break; }
      e[k] = exp((e[k] - m) * params.scale);
      s += e[k];
    }
    let p = rowStats(m, subgroupAdd(s), vec4u(subgroupMax(worst))).y;
    for (var k = 0u; k < HELD; k++) {
      if (k >= PER_LANE) { break; }
      sums[k] += select(0.0, e[k] * p, row < params.rows);
    }
  }
  for (var k = 0u; k < HELD; k++) {
    if (k >= PER_LANE) { break; }
    ofSubgroups[((k % count) * count + number) * SIZE + lane] = sums[k];
    if (k % count == count - 1u || k == PER_LANE - 1u) {
      workgroupBarrier();
      let mine = k - k % count + number;
      if (mine <= k) {
        var sum = vec2f();
        for (var i = 0u; i < count; i++) { sum = plus(sum, ofSubgroups[(number * count + i) * SIZE + lane]); }
        put(wid.x, mine * SIZE + lane, sum.x + sum.y);
      }
      // All sums must have been read before the next ones overwrite them.
      workgroupBarrier();
    }
  }
}
