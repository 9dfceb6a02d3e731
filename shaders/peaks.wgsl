// peaks: the highest rates of an adapter, to compare kernels with: multiply-adds, and bytes read, written and copied
//
//   scalar, vector   v = v factor + increment, repeated, on numbers that do not depend on each other
//   load             result[i] = sum of 16 vec4 of source
//   fill             result[i] = (increment, increment, increment, increment)
//   copy             result[i] = source[i]
//   nothing          a dispatch that costs only its launch
//
// shapes    source: [vectors] vec4; result: per invocation 2 vec4 (scalar, vector) or 1 (load), [vectors] (fill, copy)
// parallel  load, fill, copy: 16 vec4 per invocation with stride `stride`; neighbouring invocations are `offset` apart:
//           (workgroup, 1), which suits GPUs, or (1, 16), which suits software adapters
// numerics  factor is 1 and increment a power of 2, both known only at run time. So sums are exact and can be checked, and no
//           compiler can simplify them

struct Params { rounds: u32, stride: u32, offset: u32, factor: f32, increment: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

const WORKGROUP = 128u;
const COUNT = 16u;

fn place(wid: vec3u, groups: vec3u, lid: u32) -> u32 { return (wid.y * groups.x + wid.x) * WORKGROUP + lid; }

@compute @workgroup_size(WORKGROUP)
fn scalar(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = place(wid, groups, lid);
  let f = params.factor;
  let c = params.increment;
  var v0 = f32(i % 8u);
  var v1 = v0 + 1.0;
  var v2 = v0 + 2.0;
  var v3 = v0 + 3.0;
  var v4 = v0 + 4.0;
  var v5 = v0 + 5.0;
  var v6 = v0 + 6.0;
  var v7 = v0 + 7.0;
  for (var round = 0u; round < params.rounds; round++) {
    for (var j = 0u; j < 8u; j++) {
      v0 = fma(v0, f, c);
      v1 = fma(v1, f, c);
      v2 = fma(v2, f, c);
      v3 = fma(v3, f, c);
      v4 = fma(v4, f, c);
      v5 = fma(v5, f, c);
      v6 = fma(v6, f, c);
      v7 = fma(v7, f, c);
    }
  }
  result[2u * i] = vec4f(v0, v1, v2, v3);
  result[2u * i + 1u] = vec4f(v4, v5, v6, v7);
}

@compute @workgroup_size(WORKGROUP)
fn vector(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = place(wid, groups, lid);
  let f = vec4f(params.factor);
  let c = vec4f(params.increment);
  var v0 = f32(i % 8u) + vec4f(0, 1, 2, 3);
  var v1 = v0 + vec4f(4);
  for (var round = 0u; round < params.rounds; round++) {
    for (var j = 0u; j < 8u; j++) {
      v0 = fma(v0, f, c);
      v1 = fma(v1, f, c);
    }
  }
  result[2u * i] = v0;
  result[2u * i + 1u] = v1;
}

fn firstOf(wid: vec3u, groups: vec3u, lid: u32) -> u32 {
  return COUNT * WORKGROUP * (wid.y * groups.x + wid.x) + lid * params.offset;
}

@compute @workgroup_size(WORKGROUP)
fn load(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = firstOf(wid, groups, lid);
  var sum = vec4f();
  for (var j = 0u; j < COUNT; j++) { sum += source[first + j * params.stride]; }
  result[place(wid, groups, lid)] = sum;
}

@compute @workgroup_size(WORKGROUP)
fn fill(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = firstOf(wid, groups, lid);
  for (var j = 0u; j < COUNT; j++) { result[first + j * params.stride] = vec4f(params.increment); }
}

@compute @workgroup_size(WORKGROUP)
fn copy(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = firstOf(wid, groups, lid);
  for (var j = 0u; j < COUNT; j++) { result[first + j * params.stride] = source[first + j * params.stride]; }
}

@compute @workgroup_size(1)
fn nothing(@builtin(workgroup_id) wid: vec3u) { if (wid.x == params.rounds) { result[0] = vec4f(); } }
