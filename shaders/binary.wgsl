// binary: shared by ops that take two tensors element by element and broadcast them; the op's own file, joined to this one,
// defines value and its slopes in both inputs
//
//   forward   y[i]  = value(a[i], b[i])
//   backward  da[o] = sum_r dy[i] * slopeOfA(a[i], b[i])        over the r places where element o was repeated; db likewise
//
// shapes    y, dy: [n0, n1, n2, n3]; neighbouring dimensions in which the same inputs are repeated are joined. a, da and b, db: the
//           same, but an input has size 1 and step 0 in a dimension where it is repeated; dx: da or db, [outs]
// parallel  forward: one invocation per PER elements, WG apart; backward: LANES lanes share the sum of one element (rows.wgsl)
// numerics  the order of additions is fixed

override SAME = 0u;
override OF_B = 0u;
override PER = 1u;

struct Params {
  size: u32, outs: u32, repeats: u32,
  n0: u32, n1: u32, n2: u32, n3: u32,
  a0: u32, a1: u32, a2: u32, a3: u32,
  b0: u32, b1: u32, b2: u32, b3: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn stepsOfA() -> vec4u { return vec4u(params.a0, params.a1, params.a2, params.a3); }
fn stepsOfB() -> vec4u { return vec4u(params.b0, params.b1, params.b2, params.b3); }

// The places in y, a and b of the r-th repetition of element o, for a tensor that is repeated in the given dimensions.
fn places(o: u32, r: u32, repeated: vec4<bool>) -> vec3u {
  if (SAME == 1u) { return vec3u(o); }
  let n = vec4u(params.n0, params.n1, params.n2, params.n3);
  let stepA = stepsOfA();
  let stepB = stepsOfB();
  var stepY = 1u;
  var left = vec2u(o, r);
  var at = vec3u();
  for (var k = 0u; k < 4u; k++) {
    let d = 3u - k;
    let which = u32(repeated[d]);
    at += left[which] % n[d] * vec3u(stepY, stepA[d], stepB[d]);
    left[which] /= n[d];
    stepY *= n[d];
  }
  return at;
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = (wid.y * groups.x + wid.x) * (WG * PER) + lid;
  for (var i = first; i < min(params.size, first + WG * PER); i += WG) {
    let at = places(i, 0u, vec4<bool>());
    y[i] = value(a[at.y], b[at.z]);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let o = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let repeated = select(stepsOfA(), stepsOfB(), OF_B == 1u) == vec4u();
  // Every invocation must reach the barriers of the sum.
  let end = select(0u, params.repeats, o < params.outs);
  var sum = 0.0;
  for (var r = lid % LANES; r < end; r += LANES) {
    let at = places(o, r, repeated);
    sum += dy[at.x] * slope(a[at.y], b[at.z]);
  }
  sum = rowSum(lid, sum);
  if (o < params.outs && lid % LANES == 0u) { dx[o] = sum; }
}

fn slope(a: f32, b: f32) -> f32 {
  if (OF_B == 1u) { return slopeOfB(a, b); }
  return slopeOfA(a, b);
}
