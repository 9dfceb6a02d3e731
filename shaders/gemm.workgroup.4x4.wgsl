// gemm.workgroup.4x4: gemm.workgroup with 4 x 4 sums per invocation: for small results, and for GPUs with few registers per lane
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the epilogue are in other files; gemm.subgroup describes them (no k is skipped here: a tile holds 32 steps).
// `Element`, the type of the tiles, comes from gemm.single or gemm.half.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of THREADS = ROWS * COLUMNS / 16 invocations per tile of ROWS x COLUMNS: four times as many as with 8 x 8.
//           There is no prefetch: with it, the sums and the blocks on their way do not fit in the registers of GPUs with 16 lanes.
//           Other workgroups compute while one loads. At most 16 KiB, WebGPU's default limit
// numerics  one running sum over k per element; the order is fixed

// 64, 64, 256. For few rows or columns: 32, 64, 128 or 64, 32, 128 or 32, 32, 64.
override ROWS: u32 = 64;
override COLUMNS: u32 = 64;
override THREADS: u32 = 256;
// ROWS / 32 and COLUMNS / 32.
override ROW_PANELS: u32 = 2;
override COLUMN_PANELS: u32 = 2;

const STEP = 32u;

// Tiles as panels of 32 rows or columns. While a tile is multiplied, only the last index of each changes: every index that does
// costs an addition and a bounds check.
// A: [k % 4][swizzled] holds 4 rows. Neighbours write steps of k that are 4 apart and read every fourth row.
alias PanelA = array<array<vec4<Element>, 64>, 4>;
// B: [k % 4][8 (k / 4) + column / 4] holds 4 columns.
alias PanelB = array<array<vec4<Element>, 64>, 4>;
var<workgroup> tileA: array<PanelA, ROW_PANELS>;
var<workgroup> tileB: array<PanelB, COLUMN_PANELS>;

var<private> sum: array<vec4f, 4>;

// For rows 4 row4 to 4 row4 + 3 and steps 4 four to 4 four + 3. Eight vec4 fill all banks, so the eight fours of a row are
// permuted by the row: neither the writes nor the reads conflict.
fn swizzled(row4: u32, four: u32) -> u32 { return (9u * (row4 & 7u)) ^ four; }

fn addTiles(row4: u32, col4: u32) {
  for (var four = 0u; four < STEP / 4u; four++) {
    let aAt = swizzled(row4, four);
    let bAt = 8u * four + (col4 & 7u);
    for (var i = 0u; i < 4u; i++) {
      let a = vec4f(tileA[row4 >> 3u][i][aAt]);
      let b = vec4f(tileB[col4 >> 3u][i][bAt]);
      for (var row = 0u; row < 4u; row++) { sum[row] += b * a[row]; }
    }
  }
}

@compute @workgroup_size(THREADS)
fn gemm(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + ROWS - 1u) / ROWS;
  let firstRow = ROWS * (tile % down);
  let firstCol = COLUMNS * (tile / down);
  if (firstCol >= params.n) { return; }

  // A tile's 32 steps of k are 2 ROWS blocks of 4 x 4 of A and 2 COLUMNS blocks of B. The first invocations load one of A each, the
  // last ones one of B.
  let carriesA = thread < 2u * ROWS;
  let carriesB = thread + 2u * COLUMNS >= THREADS;
  let blockB = thread % (2u * COLUMNS);
  let rowA = thread / 8u;
  let fourA = thread % 8u;
  let colB = blockB % (COLUMNS / 4u);
  let fourB = blockB / (COLUMNS / 4u);
  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, COLUMNS));
  let rows = rowsOf(firstRow + 4u * rowA);
  let cols = colsOf(firstCol + 4u * colB);
  let row4 = thread / (COLUMNS / 4u);
  let col4 = thread % (COLUMNS / 4u);
  // Where the blocks are stored. Compilers do not move this out of the loop, nor WebGPU's bounds checks, which `min` makes needless there.
  let atA = min(swizzled(rowA, fourA), 63u);
  let atB = min(8u * fourB + (colB & 7u), 63u);
  let panelA = min(rowA >> 3u, ROWS / 32u - 1u);
  let panelB = min(colB >> 3u, COLUMNS / 32u - 1u);

  for (var k = begin; k < end; k += STEP) {
    beginRound(k);
    workgroupBarrier(); // all invocations have read the tiles of the last round
    if (carriesA) {
      let a = loadA(rows, k + 4u * fourA);
      for (var i = 0u; i < 4u; i++) { tileA[panelA][i][atA] = vec4<Element>(a[i]); }
    }
    if (carriesB) {
      let b = loadB(k + 4u * fourB, cols);
      for (var i = 0u; i < 4u; i++) { tileB[panelB][i][atB] = vec4<Element>(b[i]); }
    }
    workgroupBarrier(); // the tiles of this round are complete
    addTiles(row4, col4);
  }
  let row = firstRow + 4u * row4;
  let col = firstCol + 4u * col4;
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { epilogue(wid.z * params.m + row + i, col, sum[i]); }
  }
}
