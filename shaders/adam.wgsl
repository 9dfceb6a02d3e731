// adam: Adam, AdamW and AMSGrad over one flat buffer of parameters
//
//   d[i] = gradient[i] + weightDecay parameter[i]          decoupled: d = gradient, and parameter[i] *= 1 - lr weightDecay first
//   m[i] = beta1 m[i] + (1 - beta1) d[i]
//   v[i] = beta2 v[i] + (1 - beta2) d[i]^2                 amsgrad: the largest v[i] so far replaces v[i] below
//   parameter[i] -= lr / (1 - beta1^t) m[i] / (sqrt(v[i]) / sqrt(1 - beta2^t) + eps)     t: steps of this parameter, from 1
//
// shapes    gradient, parameter, mean (m), square (v), largest: [blocks, 64]; the rest as in optimizer.wgsl
// parallel  one invocation per vector of four elements
// numerics  1 - beta^t = -expm1(t log beta), by its Taylor series if the difference would cancel. The host computes 1 - beta in
//           double precision. The zero padding at a parameter's end stays zero. max may turn NaN into a number, so a NaN is put into
//           largest by hand and stays there

struct Params {
  blocks: u32, run: u32, lr: f32,
  beta1: f32, beta2: f32, oneMinusBeta1: f32, oneMinusBeta2: f32, logBeta1: f32, logBeta2: f32,
  eps: f32, decoupled: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> square: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> largest: array<vec4f>;

// 1 - exp(x) for x <= 0
fn oneMinusExp(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  return -x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0))))));
}

// The gradient, and the decayed parameter with both means, which are updated.
struct Moments { gradient: vec4f, parameter: vec4f, m: vec4f, v: vec4f }
fn moments(u: Update) -> Moments {
  var p = parameter[u.i];
  let g = gradient[u.i];
  var d = g;
  if (params.decoupled != 0u) { p *= 1.0 - u.lr * u.weightDecay; } else { d += u.weightDecay * p; }
  let m = params.beta1 * mean[u.i] + params.oneMinusBeta1 * d;
  let v = params.beta2 * square[u.i] + params.oneMinusBeta2 * d * d;
  mean[u.i] = m;
  square[u.i] = v;
  return Moments(g, p, m, v);
}

fn updated(u: Update, p: vec4f, m: vec4f, v: vec4f) -> vec4f {
  let t = f32(u.stepsBefore + 1u);
  let size = u.lr / oneMinusExp(t * params.logBeta1);
  return p - size * (m / (sqrt(v) / sqrt(oneMinusExp(t * params.logBeta2)) + params.eps));
}

@compute @workgroup_size(64)
fn step(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let u = begin(wid.y * workgroups.x + wid.x, lid);
  if (!u.applies) { return; }
  let now = moments(u);
  finish(u, now.gradient, updated(u, now.parameter, now.m, now.v));
}

@compute @workgroup_size(64)
fn amsgrad(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let u = begin(wid.y * workgroups.x + wid.x, lid);
  if (!u.applies) { return; }
  let now = moments(u);
  let nan = (bitcast<vec4u>(now.v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  let most = select(max(largest[u.i], now.v), now.v, nan);
  largest[u.i] = most;
  finish(u, now.gradient, updated(u, now.parameter, now.m, most));
}
