// gemm.reduce: adds the slices of a product whose depth was cut (few rows and columns, many depths)
//
//   y[r,c] = sum_slice partial[slice * m + r, c]
//
// shapes    partial: [slices * m, n up to a multiple of 4], y: [m, n] as the store of the product has it
// parallel  one invocation 4 columns of a row
// numerics  slice after slice, in order: the same bits every time

@group(0) @binding(7) var<storage, read> partial: array<vec4f>;

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  let across = (params.n + 3u) / 4u;
  let size = params.m * across;
  if (i >= size) { return; }
  var sum = vec4f();
  for (var at = i; at < arrayLength(&partial); at += size) { sum += partial[at]; }
  store(i / across, 4u * (i % across), sum);
}
