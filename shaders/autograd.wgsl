// autograd: what backward does with a gradient that meets another one, or that has a place of its own
//
//   accumulate  into[i] = into[i] + source[i]
//   copy        into[i] = source[i]
//
// shapes    source, into: [size]
// parallel  one invocation an element
// numerics  one rounding an addition, in the order in which backward visits the ops: the same bits every time

struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> into: array<f32>;

@compute @workgroup_size(64)
fn accumulate(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) { into[i] += source[i]; }
}

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) { into[i] = source[i]; }
}
