// metrics: stores the metrics of one iteration in a ring, which the host rarely reads
//
//   ring[(iteration mod length) * 4 + k] = metric k,   metrics: class loss, transfer loss, class accuracy, domain accuracy
//
// shapes    each metric: [1]; ring: [length * 4]
// parallel  one invocation
// numerics  copies bits, so NaN stays NaN

struct Params { iteration: u32, length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> classLoss: array<f32>;
@group(0) @binding(2) var<storage, read> transferLoss: array<f32>;
@group(0) @binding(3) var<storage, read> classAccuracy: array<f32>;
@group(0) @binding(4) var<storage, read> domainAccuracy: array<f32>;
@group(0) @binding(5) var<storage, read_write> ring: array<f32>;

@compute @workgroup_size(1)
fn store() {
  let at = (params.iteration % params.length) * 4u;
  ring[at] = classLoss[0];
  ring[at + 1u] = transferLoss[0];
  ring[at + 2u] = classAccuracy[0];
  ring[at + 3u] = domainAccuracy[0];
}
