// gemm.subgroup: GEMM kernel for subgroups of 8 lanes, without barriers: the fastest on CPUs that play the GPU
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The file of the operands defines
//   tileK(firstCol, columns)            the steps of k that a tile of these columns needs: params.k, or fewer; called first
//   rowsOf(row, inTile)                 what can be computed for 4 rows or 4 columns before the loop over k, for an invocation that
//   colsOf(col, inTile)                 loads the steps of k from `inTile` on in each round
//   beginRound(k)                       what is the same for all loads of a round, which begins at k; called before them
//   loadA(rows, k, inTile)              4 x 4 numbers, [i] at k + inTile + i for the 4 rows or columns. k is the same for all
//   loadB(k, inTile, cols)              invocations; both are multiples of 4. From tileK on, one of both gives 0, and the other a
//                                       number that 0 may be multiplied by
// and the file of the epilogue defines
//   epilogue(row, col, value)           takes the sums of 4 columns, of which the first is less than params.n
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one subgroup per tile of ROWS x 32. A lane loads 4 x 4 of A and of B for 4 steps of k and holds 4 columns of all
//           rows. The other lanes' rows of A come by shuffles with a constant lane, which are broadcasts
// numerics  4 products are summed before they are added to the running sum; the order is fixed

enable subgroups;

override ROWS: u32 = 32; // 32 or 16

// Rows 0, 4, 8, ... of the tile, then rows 1, 5, 9, ... and so on. The loop that writes them is not unrolled, which keeps them in
// memory. As registers they would take a compiler for CPUs ten times as long and gain no speed.
var<private> sum: array<vec4f, 32>;

fn multiplyAdd(first: u32, a: vec4f, b: mat4x4f) {
  for (var lane = 0u; lane < ROWS / 4u; lane++) { sum[first + lane] += b * subgroupShuffle(a, lane); }
}

@compute @workgroup_size(8)
fn gemm(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + ROWS - 1u) / ROWS;
  let firstRow = ROWS * (tile % down);
  let firstCol = 32u * (tile / down);
  if (firstCol >= params.n) { return; }
  let end = min((wid.z + 1u) * params.kPerPart, tileK(firstCol, 32u));
  let rows = rowsOf(firstRow + 4u * (lane % (ROWS / 4u)), 0u);
  let cols = colsOf(firstCol + 4u * lane, 0u);
  // 4 steps of k per round: with 8 the loop no longer fits a CPU's cache of decoded instructions.
  for (var k = wid.z * params.kPerPart; k < end; k += 4u) {
    beginRound(k);
    let a = transpose(loadA(rows, k, 0u));
    let b = loadB(k, 0u, cols);
    multiplyAdd(0u, a[0], b);
    multiplyAdd(8u, a[1], b);
    multiplyAdd(16u, a[2], b);
    multiplyAdd(24u, a[3], b);
  }
  let col = firstCol + 4u * lane;
  if (col >= params.n) { return; }
  let count = min(ROWS, params.m - firstRow);
  for (var row = 0u; row < count; row++) { epilogue(wid.z * params.m + firstRow + row, col, sum[8u * (row % 4u) + row / 4u]); }
}
