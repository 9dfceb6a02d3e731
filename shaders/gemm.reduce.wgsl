// gemm.reduce: adds the parts of a matrix multiplication whose k is split, as for few rows and columns and a long k
//
//   y[r,c] = sum_part partial[part * m + r, c]
//
// shapes    partial: [parts * m, n rounded up to a multiple of 4], y: [m, n] in the layout of the epilogue
// parallel  LANES invocations per 4 columns of a row share the parts. Neighbours read neighbouring columns
// numerics  lane l adds the parts l, l + LANES, ... in order, then lane 0 adds the lanes in order: the same bits every time

// 1, or 16 if there are 8 parts or more.
override LANES: u32 = 1;

@group(0) @binding(7) var<storage, read> partial: array<vec4f>;

var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let quads = 64u / LANES;
  let i = (wid.y * groups.x + wid.x) * quads + lid % quads;
  let across = (params.n + 3u) / 4u;
  let size = params.m * across;
  var sum = vec4f();
  if (i < size) {
    for (var at = i + lid / quads * size; at < arrayLength(&partial); at += LANES * size) { sum += partial[at]; }
  }
  if (LANES > 1u) {
    sums[lid] = sum;
    workgroupBarrier();
    for (var at = lid + quads; at < 64u; at += quads) { sum += sums[at]; }
  }
  if (i < size && lid < quads) { epilogue(i / across, 4u * (i % across), sum); }
}
