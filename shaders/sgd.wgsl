// sgd: stochastic gradient descent over one flat buffer of parameters
//
//   d[i] = gradient[i] + weightDecay parameter[i]
//   b[i] = d[i] at a parameter's first step, then momentum b[i] + (1 - dampening) d[i]
//   parameter[i] -= lr (nesterov ? d[i] + momentum b[i] : b[i])          plain: lr d[i]
//
// shapes    gradient, parameter, buffer (b): [blocks, 64]; the rest as in optimizer.wgsl
// parallel  one invocation per vector of four elements
// numerics  the zero padding at a parameter's end stays zero

struct Params { blocks: u32, run: u32, lr: f32, momentum: f32, dampening: f32, nesterov: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> buffer: array<vec4f>;

@compute @workgroup_size(64)
fn plain(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let u = begin(wid.y * workgroups.x + wid.x, lid);
  if (!u.applies) { return; }
  let g = gradient[u.i];
  let p = parameter[u.i];
  finish(u, g, p - u.lr * (g + u.weightDecay * p));
}

@compute @workgroup_size(64)
fn momentum(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let u = begin(wid.y * workgroups.x + wid.x, lid);
  if (!u.applies) { return; }
  let g = gradient[u.i];
  let p = parameter[u.i];
  let d = g + u.weightDecay * p;
  var b = d;
  if (u.stepsBefore > 0u) { b = params.momentum * buffer[u.i] + (1.0 - params.dampening) * d; }
  buffer[u.i] = b;
  if (params.nesterov != 0u) { b = d + params.momentum * b; }
  finish(u, g, p - u.lr * b);
}
