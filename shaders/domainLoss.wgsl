// domainLoss: the loss and the accuracy of a discriminator that tells source from target, with weights of images
//
//   p[i] = z[i], with LOGITS 1 / (1 + exp(-z[i])): the probability of "source"
//   images 0..sources-1 are source (t = 1), the rest target (t = 0)
//   w[i] is a weight per image; with BY_CLASS classWeight[labels[i]] for source, and the mean of those for target
//   l[i]      = -w[i] (t max(log p[i], -100) + (1 - t) max(log(1 - p[i]), -100))
//   forward   loss = 1/2 (mean of l over source + mean of l over target)          mean; sums instead of means: sum
//             each[i] = 1/2 (l[i] + l[sources + i])                               none
//             accuracy = 50 (share of source with p >= 1/2 + share of target with p < 1/2)      percent
//   backward  dp[i] = dloss / 2 * scale * w[i] (p[i] - t) / max(p[i] (1 - p[i]), 1e-12),  scale = 1/sources or 1/targets: mean; 1: sum, none
//             dz[i] = dp[i], with LOGITS dp[i] p[i] (1 - p[i])
//
// shapes    z, dz: [sources + targets, 1]; weightOfSource: [sources]; weightOfTarget: [targets]; classWeight: [classes];
//           labels: [sources]; loss, accuracy: []; each: [sources, 1]
// parallel  forward: one workgroup; each invocation takes every 64th image, and a tree adds the partial sums. It can compute dz too
//           (gradient), for dloss = 1. Else one invocation per image
// numerics  the probability, its slope and the mean weight are computed as in sigmoid.wgsl and domainWeights.wgsl. Logarithms are clamped
//           at -100, as in PyTorch (clampedLog of rows.wgsl, which keeps NaN). A p outside [0, 1] and a label >= classes give NaN

override LOGITS = false;
override BY_CLASS = false;

struct Params { sources: u32, targets: u32, weighted: u32, mean: u32, classes: u32, gradient: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;
// If there are no such weights, z is bound here and not read.
@group(0) @binding(2) var<storage, read> weightOfSource: array<f32>;
@group(0) @binding(3) var<storage, read> weightOfTarget: array<f32>;
@group(0) @binding(9) var<storage, read> classWeight: array<f32>;
// i32, so that z can be bound here too.
@group(0) @binding(10) var<storage, read> labels: array<i32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> accuracy: array<f32>;
@group(0) @binding(6) var<storage, read_write> each: array<f32>;
@group(0) @binding(7) var<storage, read> dloss: array<f32>;
@group(0) @binding(8) var<storage, read_write> dz: array<f32>;

fn probability(i: u32) -> f32 {
  let v = z[i];
  if (!LOGITS || isNan(v)) { return v; }
  let e = exp(-abs(v));
  return select(e, 1.0, v >= 0.0) / (1.0 + e);
}

fn weightOfLabel(i: u32) -> f32 {
  let label = u32(labels[i]);
  return select(classWeight[min(label, params.classes - 1u)], nan(label), label >= params.classes);
}

var<private> meanWeight: f32;

// Every invocation of a workgroup must call it before weight().
fn findMeanWeight(lid: u32) {
  if (!BY_CLASS) { return; }
  var sum = 0.0;
  for (var i = lid; i < params.sources; i += WG) { sum += weightOfLabel(i); }
  meanWeight = rowSum(lid, sum) / f32(params.sources);
}

fn weight(i: u32) -> f32 {
  if (BY_CLASS) {
    if (i < params.sources) { return weightOfLabel(i); }
    return meanWeight;
  }
  if (params.weighted == 0u) { return 1.0; }
  if (i < params.sources) { return weightOfSource[i]; }
  return weightOfTarget[i - params.sources];
}

fn lossOf(i: u32, p: f32) -> f32 {
  return -weight(i) * clampedLog(select(1.0 - p, p, i < params.sources));
}

var<workgroup> sums: array<vec4f, WG>;

@compute @workgroup_size(WG)
fn forward(@builtin(local_invocation_index) lid: u32) {
  findMeanWeight(lid);
  // Losses of source and target, then correct answers of source and target.
  var sum = vec4f();
  for (var i = lid; i < params.sources + params.targets; i += WG) {
    let isSource = i < params.sources;
    let p = probability(i);
    let l = lossOf(i, p);
    if (params.gradient == 1u) { dz[i] = gradient(i, 1.0); }
    let right = f32((p >= 0.5) == isSource);
    sum += select(vec4f(0.0, l, 0.0, right), vec4f(l, 0.0, right, 0.0), isSource);
  }
  sums[lid] = sum;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lid < half) { sums[lid] += sums[lid + half]; }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let n = vec2f(f32(params.sources), f32(params.targets));
    let parts = select(sums[0].xy, sums[0].xy / n, params.mean == 1u);
    loss[0] = 0.5 * (parts.x + parts.y);
    accuracy[0] = 50.0 * (sums[0].z / n.x + sums[0].w / n.y);
  }
}

@compute @workgroup_size(WG)
fn forwardEach(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  findMeanWeight(lid);
  let j = params.sources + i;
  if (i < params.sources) { each[i] = 0.5 * (lossOf(i, probability(i)) + lossOf(j, probability(j))); }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  findMeanWeight(lid);
  if (i < params.sources + params.targets) { dz[i] = gradient(i, dloss[0]); }
}

@compute @workgroup_size(WG)
fn backwardEach(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  findMeanWeight(lid);
  if (i < params.sources + params.targets) { dz[i] = gradient(i, dloss[i % params.sources]); }
}

fn gradient(i: u32, dloss: f32) -> f32 {
  let p = probability(i);
  let isSource = i < params.sources;
  let n = f32(select(params.targets, params.sources, isSource));
  let scale = select(1.0, 1.0 / n, params.mean == 1u);
  let variance = p * (1.0 - p);
  let guarded = select(variance, 1e-12, variance < 1e-12);
  let dp = dloss * (0.5 * scale * weight(i) * (p - f32(isSource)) / guarded);
  return select(dp, dp * variance, LOGITS);
}
