// gemm.subgroup: matrix product for subgroups of 8 lanes, without barriers: what software adapters run best
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands are another file's, which defines
//   rowsOf(row), colsOf(col)            what is known of 4 rows, 4 columns before k runs
//   loadA(rows, k), loadB(k, cols)      4 x 4 numbers, [i] at depth k + i for the 4 rows, or columns; 0 from params.k on
//   depthsOf(col), skip(k, depths)      the first depth from k on at which these columns may differ from 0
// and a third one defines
//   store(row, col, value)              takes the sums of 4 columns, the first inside params.n
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; slice z sums depths z * depth to (z + 1) * depth and stores below the rows of
//           the slices before it
// parallel  one subgroup a tile of ROWS x 32. A lane loads 4 x 4 of A and of B for 4 depths and holds 4 columns of all rows
//           in registers; the other lanes' rows of A come by shuffles, whose constant lane makes them broadcasts
// numerics  4 products are summed before they are added to the running sum; fixed order

enable subgroups;

override ROWS: u32 = 32; // 32 or 16

// Rows 0, 4, 8, ... of the tile, then rows 1, 5, 9, ... and so on. The loop that stores them is not unrolled, so that they
// stay in memory: as registers they take a compiler for CPUs ten times as long, for no speed.
var<private> sum: array<vec4f, 32>;

fn addProduct(first: u32, a: vec4f, b: mat4x4f) {
  for (var lane = 0u; lane < ROWS / 4u; lane++) { sum[first + lane] += b * subgroupShuffle(a, lane); }
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + ROWS - 1u) / ROWS;
  let firstRow = ROWS * (tile % down);
  let firstCol = 32u * (tile / down);
  if (firstCol >= params.n) { return; }
  let rows = rowsOf(firstRow + 4u * (lane % (ROWS / 4u)));
  let cols = colsOf(firstCol + 4u * lane);
  let depths = depthsOf(firstCol);
  let end = min((wid.z + 1u) * params.depth, params.k);
  // Four depths a round: with eight the loop no longer fits a CPU's cache of decoded instructions.
  for (var k = skip(wid.z * params.depth, depths); k < end; k = skip(k + 4u, depths)) {
    let a = transpose(loadA(rows, k));
    let b = loadB(k, cols);
    addProduct(0u, a[0], b);
    addProduct(8u, a[1], b);
    addProduct(16u, a[2], b);
    addProduct(24u, a[3], b);
  }
  let col = firstCol + 4u * lane;
  if (col >= params.n) { return; }
  let count = min(ROWS, params.m - firstRow);
  for (var row = 0u; row < count; row++) { store(wid.z * params.m + firstRow + row, col, sum[8u * (row % 4u) + row / 4u]); }
}
