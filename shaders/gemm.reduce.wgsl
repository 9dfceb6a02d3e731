// gemm.reduce: adds the parts of a matrix multiplication whose k is split (few rows and columns, long k)
//
//   y[r,c] = sum_part partial[part * m + r, c]
//
// shapes    partial: [parts * m, n rounded up to a multiple of 4], y: [m, n] in the layout of the epilogue
// parallel  one invocation per 4 columns of a row
// numerics  the parts are added in order: the same bits every time

@group(0) @binding(7) var<storage, read> partial: array<vec4f>;

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  let across = (params.n + 3u) / 4u;
  let size = params.m * across;
  if (i >= size) { return; }
  var sum = vec4f();
  for (var at = i; at < arrayLength(&partial); at += size) { sum += partial[at]; }
  epilogue(i / across, 4u * (i % across), sum);
}
