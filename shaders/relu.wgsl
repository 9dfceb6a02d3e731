// relu: max(x, 0)
//
//   forward   y[i]  = max(x[i], 0)
//   backward  dx[i] = dy[i] if y[i] > 0, else 0         0 at x = 0, as in PyTorch
//
// shapes    x, y, dy, dx: [size]
// parallel  one invocation per element
// numerics  select instead of max, because max may turn NaN into a number. A NaN in y keeps dy, because NaN <= 0 is false.
//           Backward reads y, so x need not be kept

struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> yIn: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  y[i] = select(x[i], 0.0, x[i] < 0.0);
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  dx[i] = select(dy[i], 0.0, yIn[i] <= 0.0);
}
