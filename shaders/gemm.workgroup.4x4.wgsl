// gemm.workgroup.4x4: gemm.workgroup with 4 x 4 sums per invocation: for small results, and for GPUs with few registers per lane
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the epilogue are in other files; gemm.subgroup describes them. `Element`, the type of the tiles, comes from
// gemm.single or gemm.half.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of THREADS = ROWS * COLUMNS / 16 invocations per tile of ROWS x COLUMNS: four times as many as with 8 x 8.
//           A round has 32 steps of k. There is no prefetch, because its blocks and the sums would not fit in the registers of GPUs
//           with 16 lanes. Other workgroups compute while one loads. The tiles take at most 16 KiB, WebGPU's default limit
// numerics  one running sum over k per element; the order is fixed

// 64, 64, 256 or, for fewer rows or columns, 32, 64, 128 or 64, 32, 128 or 32, 32, 64.
override ROWS: u32 = 64;
override COLUMNS: u32 = 64;
override THREADS: u32 = 256;
// ROWS / 8 and COLUMNS / 32.
override ROW_PANELS: u32 = 8;
override COLUMN_PANELS: u32 = 2;

const STEP = 32u;

// In the loop over a tile only the index k / 4 varies, and it is the same for all invocations. So compilers keep one address per
// operand and add constants to it.
// 8 rows of A: [k % 4][k / 4][row / 4 % 2] holds 4 rows.
alias PanelA = array<array<array<vec4<Element>, 2>, 8>, 4>;
// 32 columns of B: [k / 4][k % 4][column / 4 % 8] holds 4 columns.
alias PanelB = array<array<array<vec4<Element>, 8>, 4>, 8>;
var<workgroup> tileA: array<PanelA, ROW_PANELS>;
var<workgroup> tileB: array<PanelB, COLUMN_PANELS>;

var<private> sum: array<vec4f, 4>;

fn addTiles(panelA: u32, atA: u32, panelB: u32, atB: u32) {
  for (var step = 0u; step < STEP / 4u; step++) {
    let four = min(step, STEP / 4u - 1u); // changes nothing, but shows compilers that the index is within bounds
    for (var i = 0u; i < 4u; i++) {
      let a = vec4f(tileA[panelA][i][four][atA]);
      let b = vec4f(tileB[panelB][four][i][atB]);
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

  // Where the tiles hold an invocation's four rows and columns. Compilers would compute this in each round, and check the bounds, which
  // `min` makes unnecessary. To save registers, the rows and columns of y are computed from it at the end.
  let row4 = thread / (COLUMNS / 4u);
  let col4 = thread % (COLUMNS / 4u);
  let panelA = min(row4 / 2u, ROWS / 8u - 1u);
  let atA = min(row4 & 1u, 1u);
  let panelB = min(col4 / 8u, COLUMNS / 32u - 1u);
  let atB = min(col4 & 7u, 7u);
  // A round needs 2 ROWS blocks of A and 2 COLUMNS blocks of B. The first invocations load a block of A each. The last ones load a
  // block of B each, from the columns that they multiply. Eight neighbours load 16 steps of k of 8 rows: 64 bytes of each row. Their
  // stores go to different banks.
  let carriesA = thread < 2u * ROWS;
  let carriesB = thread + 2u * COLUMNS >= THREADS;
  let toPanelA = min(thread / 16u, ROWS / 8u - 1u);
  let toA = min((thread / 4u) & 1u, 1u);
  let fourA = min((thread & 3u) + ((thread / 2u) & 4u), 7u);
  let fourB = min(row4 & 7u, 7u);
  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, COLUMNS));
  let rows = rowsOf(firstRow + 8u * toPanelA + 4u * toA, 4u * fourA);
  let cols = colsOf(firstCol + 4u * col4, 4u * fourB);

  for (var k = begin; k < end; k += STEP) {
    beginRound(k);
    workgroupBarrier(); // all invocations have read the tiles of the last round
    if (carriesA) {
      let a = loadA(rows, k, 4u * fourA);
      for (var i = 0u; i < 4u; i++) { tileA[toPanelA][i][fourA][toA] = vec4<Element>(a[i]); }
    }
    if (carriesB) {
      let b = loadB(k, 4u * fourB, cols);
      for (var i = 0u; i < 4u; i++) { tileB[panelB][fourB][i][atB] = vec4<Element>(b[i]); }
    }
    workgroupBarrier(); // the tiles of this round are complete
    addTiles(panelA, atA, panelB, atB);
  }
  let row = firstRow + 8u * panelA + 4u * atA;
  let col = firstCol + 32u * panelB + 4u * atB;
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { epilogue(wid.z * params.m + row + i, col, sum[i]); }
  }
}
