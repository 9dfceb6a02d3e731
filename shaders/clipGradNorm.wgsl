// clipGradNorm: scales all gradients down together if their norm is too large
//
//   norm = sqrt(sum g^2) over all gradients
//   g    = g min(maxNorm / (norm + 1e-6), 1)
//
// shapes    gradient: [blocks, 64], four elements per vector: either one tensor of `size` elements, or (size 0) a flat buffer of
//           several parameters, with used: [blocks], the elements of each block that count; partial: [partials]; norm: []
// parallel  64 invocations stride over the vectors; squares writes one partial sum per workgroup, and every workgroup of scale adds
//           up all partial sums by itself, in the same order
// numerics  NaN or infinity in any gradient makes the norm NaN or infinite. A NaN norm makes every gradient NaN; an infinite norm makes
//           finite gradients 0, as in PyTorch. Elements that do not count, such as padding, keep their value

struct Params { blocks: u32, size: u32, first: u32, partials: u32, maxNorm: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> used: array<u32>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;
@group(0) @binding(4) var<storage, read> partialIn: array<f32>;
@group(0) @binding(5) var<storage, read_write> norm: array<f32>;

// Which of a vector's elements count.
fn counts(i: u32) -> vec4<bool> {
  let begin = 4u * i;
  var end = params.size;
  if (end == 0u) { end = begin / 64u * 64u + used[begin / 64u]; }
  return vec4u(begin, begin + 1u, begin + 2u, begin + 3u) < vec4u(end);
}

var<workgroup> sums: array<f32, 64>;

fn together(value: f32, lid: u32) -> f32 {
  sums[lid] = value;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { sums[lid] += sums[lid + half]; }
    workgroupBarrier();
  }
  return sums[0];
}

@compute @workgroup_size(64)
fn squares(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  var sum = vec4f();
  for (var i = wid.x * 64u + lid; i < 16u * params.blocks; i += 64u * groups.x) {
    let g = select(vec4f(), gradient[i], counts(i));
    sum += g * g;
  }
  let total = together(dot(sum, vec4f(1.0)), lid);
  if (lid == 0u) { partial[params.first + wid.x] = total; }
}

@compute @workgroup_size(64)
fn scale(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  var sum = 0.0;
  for (var k = lid; k < params.partials; k += 64u) { sum += partialIn[k]; }
  let length = sqrt(together(sum, lid));
  if (params.first == 0u && wid.x == 0u && lid == 0u) { norm[0] = length; }
  // A NaN is not below maxNorm.
  let factor = select(params.maxNorm / (length + 1e-6), 1.0, length + 1e-6 <= params.maxNorm);
  for (var i = wid.x * 64u + lid; i < 16u * params.blocks; i += 64u * groups.x) {
    // An index beyond the tensor's end may be clamped to its last vector, which must not be written a second time.
    let own = counts(i);
    if (any(own)) { gradient[i] = select(gradient[i], factor * gradient[i], own); }
  }
}
