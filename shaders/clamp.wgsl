// clamp: limits each element to a range
//
//   forward   y[i]  = low if x[i] < low, high if x[i] > high, else x[i];    high wins if low > high, as in PyTorch
//   backward  dx[i] = dy[i] if low <= x[i] <= high, else 0                  0 at NaN, as in PyTorch
//
// shapes    x, y, dy, dx: [size]
// parallel  one invocation per element
// numerics  exact. NaN is found by its bits and passed on, because clamp, min and max may turn it into a number

struct Params { size: u32, low: f32, high: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  let atLeast = select(x[i], params.low, !isNan(x[i]) && x[i] < params.low);
  y[i] = select(atLeast, params.high, !isNan(x[i]) && atLeast > params.high);
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  dx[i] = select(0.0, dy[i], !isNan(x[i]) && x[i] >= params.low && x[i] <= params.high);
}
