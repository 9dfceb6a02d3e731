// featureBatch: makes a batch from the feature vectors of a data set, in the order of a permutation
//
//   item[b]     = order[offset + b]
//   x[row+b,j]  = features[item[b], j]
//   labels[b]   = allLabels[item[b]];   NaN and 2^32 - 1 if item[b] >= count
//
// shapes    features: [count, dim]; allLabels: [count]; order: [count]; x: [row + size or more, dim]; labels: [size]
// parallel  one invocation per element, and per vector for its label
// numerics  exact: numbers are copied

struct Params { offset: u32, size: u32, dim: u32, row: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> features: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read> allLabels: array<u32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;

fn copy(i: u32) {
  if (i >= params.size * params.dim) { return; }
  let item = order[params.offset + i / params.dim];
  let v = features[item * params.dim + i % params.dim];
  x[params.row * params.dim + i] = select(v, bitcast<f32>(0x7fc00000u | (item & 1u)), item >= params.count);
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
