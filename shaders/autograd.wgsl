// autograd: adds a gradient to another one, or copies it to its place
//
//   accumulate  into[i] = into[i] + source[i]
//   copy        into[i] = source[i]
//
// shapes    source, into: [size]
// parallel  one invocation per element
// numerics  one rounding per addition; backward adds in a fixed order, so the bits are always the same

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
