// affineSample: samples each image at an affine map of its grid; affine.wgsl does the work
//
//   y[n,c,p] = sampled of x[n,c] at padded(placeOf(theta[n], p))
//
// shapes    x, y: [n, c, h, w]; theta: [n, 2, 3]
// parallel  one invocation per element of y
// numerics  a place is rounded in single precision, to about 1e-7 of the width

struct Params { size: u32, channels: u32, height: u32, width: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> theta: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn pixelAt(i: u32) -> f32 { return x[i]; }

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  let size = vec2u(params.width, params.height);
  let pixel = vec2u(i % size.x, i / size.x % size.y);
  let plane = i / (size.x * size.y);
  let t = 6u * (plane / params.channels);
  let place = placeOf(vec3f(theta[t], theta[t + 1u], theta[t + 2u]), vec3f(theta[t + 3u], theta[t + 4u], theta[t + 5u]), pixel, size);
  y[i] = sampled(plane, padded(place, size), size);
}
