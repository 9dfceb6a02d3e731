// domainWeights: the weight of each image of a batch in the domain adversarial loss of PADA
//
//   weightOfSource[i] = classWeight[labels[i]]
//   weightOfTarget[i] = 1/n sum_k weightOfSource[k]      the same for every target image
//
// shapes    classWeight: [classes]; labels: [n] u32; both weights: [n]
// parallel  one workgroup: each invocation takes every 64th label; a tree adds the partial sums (rows.wgsl with LANES = 64)
// numerics  the order of the sum is fixed; a label >= classes gives the weight NaN, and so the mean NaN

struct Params { n: u32, classes: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> classWeight: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> weightOfSource: array<f32>;
@group(0) @binding(4) var<storage, read_write> weightOfTarget: array<f32>;

@compute @workgroup_size(WG)
fn forward(@builtin(local_invocation_index) lid: u32) {
  var sum = 0.0;
  for (var i = lid; i < params.n; i += WG) {
    let label = labels[i];
    let weight = select(classWeight[min(label, params.classes - 1u)], nan(label), label >= params.classes);
    weightOfSource[i] = weight;
    sum += weight;
  }
  let mean = rowSum(lid, sum) / f32(params.n);
  for (var i = lid; i < params.n; i += WG) { weightOfTarget[i] = mean; }
}
