// gemm.plain: GEMM kernel without subgroups or workgroup memory, for software adapters without subgroups
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the epilogue are in other files; gemm.subgroup describes them.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one invocation per 16 x 8 of y, a workgroup of 8 per 32 x 32. A loaded number of A is used 8 times, of B 16 times
// numerics  4 products are summed before they are added to the running sum; the order is fixed

// [2 row + half] holds 4 columns of a row. The array stays in memory, as in gemm.subgroup.
var<private> sum: array<vec4f, 32>;

fn multiplyAdd(first: u32, a: mat4x4f, left: mat4x4f, right: mat4x4f) {
  for (var i = 0u; i < 4u; i++) {
    sum[first + 2u * i] += left * a[i];
    sum[first + 2u * i + 1u] += right * a[i];
  }
}

@compute @workgroup_size(8)
fn gemm(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + 31u) / 32u;
  let row = 32u * (tile % down) + 16u * (thread % 2u);
  let col = 32u * (tile / down) + 8u * (thread / 2u);
  if (row >= params.m || col >= params.n) { return; }
  let end = min((wid.z + 1u) * params.kPerPart, tileK(col, 8u));
  let rows0 = rowsOf(row, 0u);
  let rows4 = rowsOf(row + 4u, 0u);
  let rows8 = rowsOf(row + 8u, 0u);
  let rows12 = rowsOf(row + 12u, 0u);
  let leftCols = colsOf(col, 0u);
  let rightCols = colsOf(col + 4u, 0u);
  for (var k = wid.z * params.kPerPart; k < end; k += 4u) {
    beginRound(k);
    let left = loadB(k, 0u, leftCols);
    let right = loadB(k, 0u, rightCols);
    multiplyAdd(0u, transpose(loadA(rows0, k, 0u)), left, right);
    multiplyAdd(8u, transpose(loadA(rows4, k, 0u)), left, right);
    multiplyAdd(16u, transpose(loadA(rows8, k, 0u)), left, right);
    multiplyAdd(24u, transpose(loadA(rows12, k, 0u)), left, right);
  }
  let count = min(16u, params.m - row);
  for (var i = 0u; i < 2u * count; i++) {
    let at = col + 4u * (i % 2u);
    if (at < params.n) { epilogue(wid.z * params.m + row + i / 2u, at, sum[i]); }
  }
}
