// gemm.subgroup: GEMM kernel for subgroups of 8 lanes, without barriers: the fastest on software adapters
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// All GEMM kernels loop over k in rounds. A round begins at k. An invocation loads blocks of 4 rows of A or 4 columns of B by 4 steps
// of k, which begin at k + inTile. Only inTile depends on the invocation; both are multiples of 4. The file of the operands defines
//   tileK(firstCol, columns)    returns how many steps of k a tile of these columns needs: params.k, or fewer. Called first
//   rowsOf(row, inTile)         returns what loadA needs for the rows from `row` on and can be computed before the loop
//   colsOf(col, inTile)         the same for loadB and columns
//   beginRound(k)               computes what the loads of a round share. Called before them
//   loadA(rows, k, inTile)      returns a block of A: [i] holds its 4 rows at step k + inTile + i
//   loadB(k, inTile, cols)      returns a block of B: [i] holds its 4 columns at that step
// From tileK on, one of the two blocks is 0, and the other has numbers that may be multiplied by 0. The file of the epilogue defines
//   epilogue(row, col, value)   takes the sums of 4 columns, of which the first is less than params.n
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one subgroup per tile of ROWS x 32; a round has 4 steps of k. A lane loads a block of A and one of B, and holds the sums of
//           4 columns for all rows. It reads the other lanes' rows of A by shuffles with a constant lane, which are broadcasts
// numerics  4 products are summed before they are added to the running sum; the order is fixed

enable subgroups;

override ROWS: u32 = 32; // 32 or 16

// Rows 0, 4, 8, ... of the tile, then rows 1, 5, 9, ... and so on. The loop that writes y is not unrolled, which keeps the array in
// memory. In registers it would take compilers for CPUs ten times as long and gain no speed.
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
