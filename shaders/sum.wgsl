// sum: the sum along one dimension, or of all elements
//
//   forward   y[o,j,i] = scale sum_k x[o,k,i],   k from j chunk up to (j + 1) chunk - 1, below n
//   backward  dx[o,k,i] = dy[o,i] * scale
//
// shapes    x, dx: [outer, n, inner], where n is summed over; y: [outer, chunks, inner]; dy: [outer, inner]
// parallel  LANES lanes per sum (rows.wgsl); long sums are split into chunks, whose sums are added by further dispatches
// numerics  the order is fixed. A lane adds up 16 elements at a time, because short chains of additions lose less. scale = 1 / n makes
//           means; with n = 0 the result is NaN

const BLOCK = 16u;

struct Params { n: u32, inner: u32, chunk: u32, chunks: u32, size: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

// Here params.size is the size of y.
@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let at = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  let first = (at / params.inner) % params.chunks * params.chunk;
  let start = at / (params.inner * params.chunks) * params.n * params.inner + at % params.inner;
  let end = select(first, min(first + params.chunk, params.n), at < params.size);
  var sum = 0.0;
  for (var block = first + lid % LANES; block < end; block += BLOCK * LANES) {
    var few = 0.0;
    for (var k = block; k < min(block + BLOCK * LANES, end); k += LANES) { few += x[start + k * params.inner]; }
    sum += few;
  }
  sum = rowSum(lid, sum);
  if (at < params.size && lid % LANES == 0u) { y[at] = select(nan(at), sum * params.scale, isFinite(params.scale)); }
}

// Here params.size is the size of dx.
@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * WG + lid;
  if (i >= params.size) { return; }
  dx[i] = dy[i / (params.n * params.inner) * params.inner + i % params.inner] * params.scale;
}
