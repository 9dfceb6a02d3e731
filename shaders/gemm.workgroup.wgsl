// gemm.workgroup: GEMM kernel with tiles in workgroup memory: the fastest on GPUs if there is enough to compute
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the epilogue are in other files; gemm.subgroup describes them.
// `Element`, the type of the tiles, comes from gemm.single or gemm.half.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of THREADS = ROWS * COLUMNS / 64 invocations per tile of ROWS x COLUMNS, 8 x 8 per invocation: four
//           4 x 4 blocks half a tile apart. So neighbours read neighbouring vec4 of B and the same vec4 of A: no bank conflicts.
//           If each invocation carries blocks of both operands (64 x 64), the next 16 steps of k are on their way to registers
//           while a tile is multiplied (prefetch). With branches around the loads, compilers would move them behind the
//           multiplications, so larger tiles load without prefetch: other workgroups compute meanwhile. At most 16 KiB, WebGPU's
//           default limit
// numerics  one running sum over k per element; the order is fixed

// 64, 64, 64 or 128, 128, 256.
override ROWS: u32 = 64;
override COLUMNS: u32 = 64;
override THREADS: u32 = 64;
// ROWS / 64 and COLUMNS / 64. WebKit before 2026 gives an array no elements if its count is computed from overrides.
override ROW_PANELS: u32 = 1;
override COLUMN_PANELS: u32 = 1;

// For subgroups of 8 lanes on Intel's GPUs: only with one step of k at a time the registers are enough.
override FEW_LANES = false;

const STEP = 16u;

// Tiles as panels of 32 rows or columns of each half. While a tile is multiplied only the last index of A changes, and no index of
// B: each index that does costs an addition and a bounds check.
// A: [half][row % 4][swizzled] holds 4 steps of k; with FEW_LANES, [half][k % 4][swizzled] holds 4 rows. Neighbours write steps of k
// that are 4 apart and read every fourth row.
alias PanelA = array<array<array<vec4<Element>, 32>, 4>, 2>;
// B: [half][k / 4][k % 4][column / 4] holds 4 columns.
alias PanelB = array<array<array<array<vec4<Element>, 8>, 4>, 4>, 2>;
var<workgroup> tileA: array<PanelA, ROW_PANELS>;
var<workgroup> tileB: array<PanelB, COLUMN_PANELS>;

alias Quad = array<vec4f, 4>;
var<private> topLeft: Quad;
var<private> topRight: Quad;
var<private> bottomLeft: Quad;
var<private> bottomRight: Quad;

// For rows 4 row4 to 4 row4 + 3 and steps 4 four to 4 four + 3. Eight vec4 fill all banks, so the fours of a pair of rows are
// permuted by the pair: neither the writes nor the reads conflict.
fn swizzled(row4: u32, four: u32) -> u32 { return (4u * (row4 & 7u) + ((row4 >> 1u) & 3u)) ^ four; }

fn storeA(panel: u32, half: u32, at: u32, block: mat4x4f) {
  var stored = block;
  if (!FEW_LANES) { stored = transpose(block); }
  for (var i = 0u; i < 4u; i++) { tileA[panel][half][i][at] = vec4<Element>(stored[i]); }
}

fn storeB(panel: u32, half: u32, four: u32, at: u32, block: mat4x4f) {
  for (var i = 0u; i < 4u; i++) { tileB[panel][half][four][i][at] = vec4<Element>(block[i]); }
}

fn multiplyAdd(sum: ptr<private, Quad>, rows: mat4x4f, b: vec4f, i: u32) {
  for (var row = 0u; row < 4u; row++) { (*sum)[row] += b * rows[row][i]; }
}

fn addFour(panelA: u32, atA: u32, panelB: u32, atB: u32, four: u32) {
  var top: mat4x4f;
  var bottom: mat4x4f;
  for (var row = 0u; row < 4u; row++) {
    top[row] = vec4f(tileA[panelA][0][row][atA ^ four]);
    bottom[row] = vec4f(tileA[panelA][1][row][atA ^ four]);
  }
  for (var i = 0u; i < 4u; i++) {
    let left = vec4f(tileB[panelB][0][four][i][atB]);
    let right = vec4f(tileB[panelB][1][four][i][atB]);
    multiplyAdd(&topLeft, top, left, i);
    multiplyAdd(&topRight, top, right, i);
    multiplyAdd(&bottomLeft, bottom, left, i);
    multiplyAdd(&bottomRight, bottom, right, i);
  }
}

fn addSteps(panelA: u32, atA: u32, panelB: u32, atB: u32) {
  for (var k = 0u; k < STEP; k++) {
    let four = k / 4u;
    let i = k % 4u;
    let top = vec4f(tileA[panelA][0][i][atA ^ four]);
    let bottom = vec4f(tileA[panelA][1][i][atA ^ four]);
    let left = vec4f(tileB[panelB][0][four][i][atB]);
    let right = vec4f(tileB[panelB][1][four][i][atB]);
    for (var row = 0u; row < 4u; row++) {
      topLeft[row] += left * top[row];
      topRight[row] += right * top[row];
      bottomLeft[row] += left * bottom[row];
      bottomRight[row] += right * bottom[row];
    }
  }
}

fn addTiles(panelA: u32, atA: u32, panelB: u32, atB: u32) {
  if (FEW_LANES) {
    addSteps(panelA, atA, panelB, atB);
  } else {
    // Not a loop: compilers move the prefetching loads behind it.
    addFour(panelA, atA, panelB, atB, 0u);
    addFour(panelA, atA, panelB, atB, 1u);
    addFour(panelA, atA, panelB, atB, 2u);
    addFour(panelA, atA, panelB, atB, 3u);
  }
}

fn writeQuad(sum: ptr<private, Quad>, row: u32, col: u32, part: u32) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { epilogue(part * params.m + row + i, col, (*sum)[i]); }
  }
}

@compute @workgroup_size(THREADS)
fn gemm(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + ROWS - 1u) / ROWS;
  let firstRow = ROWS * (tile % down);
  let firstCol = COLUMNS * (tile / down);
  if (firstCol >= params.n) { return; }

  // A tile's 16 steps of k are ROWS blocks of 4 x 4 of A and COLUMNS blocks of B. The first ROWS invocations load one of A each.
  // The last COLUMNS invocations load one of B each.
  let carriesA = thread < ROWS;
  let carriesB = thread + COLUMNS >= THREADS;
  let blockB = thread % COLUMNS;
  let rowA = thread / 4u;
  let fourA = min(thread & 3u, 3u);
  let colB = blockB % (COLUMNS / 4u);
  let fourB = min(blockB / (COLUMNS / 4u), 3u);
  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, COLUMNS));
  let rows = rowsOf(firstRow + 4u * rowA, 4u * fourA);
  let cols = colsOf(firstCol + 4u * colB, 4u * fourB);
  let row4 = thread / (COLUMNS / 8u);
  let col4 = thread % (COLUMNS / 8u);
  // The places where blocks are stored and read. Compilers do not move them out of the loop, nor WebGPU's bounds checks, which `min`
  // makes needless there.
  let inHalfA = rowA % (ROWS / 8u);
  let toPanelA = min(inHalfA / 8u, ROWS / 64u - 1u);
  let toHalfA = min(rowA / (ROWS / 8u), 1u);
  let toA = min(swizzled(inHalfA, fourA), 31u);
  let panelA = min(row4 / 8u, ROWS / 64u - 1u);
  let atA = swizzled(row4, 0u);
  let inHalfB = colB % (COLUMNS / 8u);
  let toPanelB = min(inHalfB / 8u, COLUMNS / 64u - 1u);
  let toHalfB = min(colB / (COLUMNS / 8u), 1u);
  let toB = min(inHalfB & 7u, 7u);
  let panelB = min(col4 / 8u, COLUMNS / 64u - 1u);
  let atB = min(col4 & 7u, 7u);

  let prefetches = THREADS == ROWS && THREADS == COLUMNS && !FEW_LANES;
  if (prefetches) {
    beginRound(begin);
    storeA(toPanelA, toHalfA, toA, loadA(rows, begin, 4u * fourA));
    storeB(toPanelB, toHalfB, fourB, toB, loadB(begin, 4u * fourB, cols));
    workgroupBarrier(); // the first tiles are complete
  }
  for (var k = begin; k < end; k += STEP) {
    beginRound(select(k, k + STEP, prefetches));
    if (prefetches) {
      // In the last round these numbers are not used. Beyond k, operands give anything that is inside their buffers.
      let a = loadA(rows, k + STEP, 4u * fourA);
      let b = loadB(k + STEP, 4u * fourB, cols);
      addTiles(panelA, atA, panelB, atB);
      workgroupBarrier(); // all invocations have read the tiles of this round
      storeA(toPanelA, toHalfA, toA, a);
      storeB(toPanelB, toHalfB, fourB, toB, b);
    } else {
      if (carriesA) { storeA(toPanelA, toHalfA, toA, loadA(rows, k, 4u * fourA)); }
      if (carriesB) { storeB(toPanelB, toHalfB, fourB, toB, loadB(k, 4u * fourB, cols)); }
      workgroupBarrier(); // the tiles of this round are complete
      addTiles(panelA, atA, panelB, atB);
    }
    workgroupBarrier(); // the next tiles are complete, or these have been read
  }
  let row = firstRow + 4u * row4;
  let col = firstCol + 32u * panelB + 4u * atB;
  writeQuad(&topLeft, row, col, wid.z);
  writeQuad(&topRight, row, col + COLUMNS / 2u, wid.z);
  writeQuad(&bottomLeft, row + ROWS / 2u, col, wid.z);
  writeQuad(&bottomRight, row + ROWS / 2u, col + COLUMNS / 2u, wid.z);
}
