// unary: shared by ops that map each element by itself; the op's own file, joined to this one, defines value and slope
//
//   forward   y[i]  = value(x[i])
//   backward  dx[i] = dy[i] * slope(kept[i])         kept is x or y, depending on the op
//
// shapes    x, y, kept, dy, dx: [size]
// parallel  one invocation per PER elements, 64 apart
// numerics  NaN is found by its bits and passed on here, because exp, comparisons and the like may turn it into a number

override PER = 1u;

struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> kept: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = (wid.y * groups.x + wid.x) * (64u * PER) + lid;
  for (var i = first; i < min(params.size, first + 64u * PER); i += 64u) {
    let v = x[i];
    if (isNan(v)) {
      y[i] = v;
    } else {
      y[i] = value(v);
    }
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = (wid.y * groups.x + wid.x) * (64u * PER) + lid;
  for (var i = first; i < min(params.size, first + 64u * PER); i += 64u) { dx[i] = dy[i] * slope(kept[i]); }
}
