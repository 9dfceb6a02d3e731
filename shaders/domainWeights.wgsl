// domainWeights: how much each image of a batch counts in the domain adversarial loss of PADA
//
//   weightOfSource[i] = classWeight[labels[i]]
//   weightOfTarget[i] = 1/n sum_k weightOfSource[k]      the same for every target image
//
// shapes    classWeight: [classes]; labels: [n] u32; both weights: [n]
// parallel  one workgroup: every invocation takes each 64th label; partial sums meet in a tree
// numerics  the order of the sum is fixed; a label >= classes weighs NaN, and so does the mean then

const WG = 64u;

struct Params { n: u32, classes: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> classWeight: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> weightOfSource: array<f32>;
@group(0) @binding(4) var<storage, read_write> weightOfTarget: array<f32>;

var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn forward(@builtin(local_invocation_index) lid: u32) {
  var sum = 0.0;
  for (var i = lid; i < params.n; i += WG) {
    let label = labels[i];
    // The quiet NaN is made of a run-time value, for a constant one does not compile.
    let weight = select(classWeight[min(label, params.classes - 1u)], bitcast<f32>(0x7fc00000u | (label & 1u)), label >= params.classes);
    weightOfSource[i] = weight;
    sum += weight;
  }
  sums[lid] = sum;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lid < half) { sums[lid] += sums[lid + half]; }
    workgroupBarrier();
  }
  let mean = sums[0] / f32(params.n);
  for (var i = lid; i < params.n; i += WG) { weightOfTarget[i] = mean; }
}
