// featureBatch: makes a batch from the feature vectors of a data set, in the order of a permutation
//
//   item[b]     = order[offset + b]
//   x[row+b,j]  = features[item[b], j]
//   labels[b]   = allLabels[item[b]];   NaN and 2^32 - 1 if item[b] >= count
//   with PAIR, b >= size is vector b - size of the next data set's batch, without labels
//
// shapes    features: [count, dim]; allLabels: [count]; order: [count]; nextFeatures, nextOrder: the same of the next data set;
//           x: [row + size + nextSize or more, dim]; labels: [size]
// parallel  one invocation per element, and per vector for its label
// numerics  exact: numbers are copied

override PAIR = false;

struct Params { offset: u32, size: u32, dim: u32, row: u32, count: u32, nextOffset: u32, nextSize: u32, nextCount: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> features: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read> allLabels: array<u32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;
// Without PAIR, features and order are bound here and not read.
@group(0) @binding(6) var<storage, read> nextFeatures: array<f32>;
@group(0) @binding(7) var<storage, read> nextOrder: array<u32>;

fn copy(i: u32) {
  if (i >= (params.size + params.nextSize) * params.dim) { return; }
  let b = i / params.dim;
  let j = i % params.dim;
  var item = order[params.offset + b];
  var v = features[item * params.dim + j];
  var count = params.count;
  if (PAIR && b >= params.size) {
    item = nextOrder[params.nextOffset + b - params.size];
    v = nextFeatures[item * params.dim + j];
    count = params.nextCount;
  }
  x[params.row * params.dim + i] = select(v, bitcast<f32>(0x7fc00000u | (item & 1u)), item >= count);
}

@compute @workgroup_size(64)
fn unlabelled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  copy((wid.y * groups.x + wid.x) * 64u + lid);
}

@compute @workgroup_size(64)
fn labelled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) {
    let item = order[params.offset + i];
    labels[i] = select(allLabels[item], 0xffffffffu, item >= params.count);
  }
  copy(i);
}
