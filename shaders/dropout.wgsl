// dropout: zeroes elements at random and scales the others so that the mean stays
//
//   u[i]      = random number i of the draw, uniform in [0, 1)
//   forward   y[i]  = x[i] * factor if u[i] >= p, else 0,     factor = 1 / (1 - p)
//   backward  dx[i] = dy[i] * factor if u[i] >= p, else 0
//
// shapes    x, y, dy, dx: [size]; drawn: [1], the draw of the forward pass
// parallel  one invocation per element
// numerics  backward computes u again from the draw that forward stored in drawn; the counter has advanced by then. Zeroing multiplies
//           by 0 as in PyTorch: NaN stays NaN, and a dropped infinity becomes NaN

struct Params { size: u32, seed: u32, draw: u32, p: f32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> drawn: array<u32>;
@group(0) @binding(4) var<storage, read> drawnIn: array<u32>;

fn dropped(i: u32, draw: u32) -> f32 {
  let v = x[i];
  if (random(vec3u(i, draw, params.seed)) >= params.p) { return v * params.factor; }
  let bits = bitcast<u32>(v);
  return bitcast<f32>(select(0u, bits | 0x7fc00000u, (bits & 0x7f800000u) == 0x7f800000u));
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i == 0u) { drawn[0] = params.draw; }
  if (i < params.size) { y[i] = dropped(i, params.draw); }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) { y[i] = dropped(i, drawnIn[0]); }
}
