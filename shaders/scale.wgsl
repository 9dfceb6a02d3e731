// scale: a tensor times a number
//
//   forward   y[i]  = SIGN * factor * x[i]
//   backward  dx[i] = SIGN * factor * dy[i]          the same kernel again; gradientReversal runs it with SIGN = -1
//
// shapes    x, y: [size]
// parallel  PER elements per invocation, 64 apart
// numerics  one rounding

override SIGN = 1.0;
override PER = 1u;

struct Params { size: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = (wid.y * groups.x + wid.x) * (64u * PER) + lid;
  for (var k = 0u; k < PER; k++) {
    let i = first + 64u * k;
    if (i < params.size) { y[i] = SIGN * params.factor * x[i]; }
  }
}
