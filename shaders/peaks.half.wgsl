// peaks.half: the highest rate of multiply-adds in half precision; see peaks
//
//   half      v = v factor + increment, repeated, on numbers that do not depend on each other
//
// shapes    result: 4 vec4<f16> per invocation, stored as f32
// parallel  the caller chooses the grid and the rounds
// numerics  factor is -1 and increment 1 at run time, so an even number of rounds gives the initial numbers back: exact

enable f16;

struct Params { rounds: u32, factor: f32, increment: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

const WORKGROUP = 128u;

@compute @workgroup_size(WORKGROUP)
fn half(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WORKGROUP + lid;
  let f = vec4h(f16(params.factor));
  let c = vec4h(f16(params.increment));
  var v0 = f16(i % 8u) + vec4h(0, 1, 2, 3);
  var v1 = v0 + vec4h(4);
  var v2 = v0 + vec4h(8);
  var v3 = v0 + vec4h(12);
  for (var round = 0u; round < params.rounds; round++) {
    for (var j = 0u; j < 4u; j++) {
      v0 = fma(v0, f, c);
      v1 = fma(v1, f, c);
      v2 = fma(v2, f, c);
      v3 = fma(v3, f, c);
    }
  }
  result[4u * i] = vec4f(v0);
  result[4u * i + 1u] = vec4f(v1);
  result[4u * i + 2u] = vec4f(v2);
  result[4u * i + 3u] = vec4f(v3);
}
