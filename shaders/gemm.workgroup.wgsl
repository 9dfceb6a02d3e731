// gemm.workgroup: GEMM kernel with tiles in workgroup memory: for large results on GPUs
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the epilogue are in other files; gemm.subgroup describes them. `Element`, the type of the tiles, comes from
// gemm.single or gemm.half.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of THREADS = ROWS * COLUMNS / 64 invocations per tile of ROWS x COLUMNS. Each computes 8 x 8: four quads of
//           4 x 4, half a tile apart. So neighbours read neighbouring vec4 of B and the same vec4 of A: no bank conflicts. A round
//           has 16 steps of k. With 64 x 64 each invocation loads blocks of both operands, for the next round while it multiplies
//           this one (prefetch). With 128 x 128 it loads only one, in a branch, which compilers move behind the multiplications:
//           there is no prefetch, and other workgroups compute meanwhile. The tiles take at most 16 KiB, WebGPU's default limit
// numerics  one running sum over k per element; the order is fixed

// 64, 64, 64 or 128, 128, 256.
override ROWS: u32 = 64;
override COLUMNS: u32 = 64;
override THREADS: u32 = 64;
// ROWS / 64 and COLUMNS / 64. WebKit before 2026 gives an array no elements if its count is computed from overrides.
override ROW_PANELS: u32 = 1;
override COLUMN_PANELS: u32 = 1;

// For subgroups of 8 lanes on Intel's GPUs: one step of k at a time and no prefetch, so that the registers are enough.
override FEW_LANES = false;

const STEP = 16u;

// A tile is an array of panels. A panel holds 32 rows or columns of each half of the tile. In the loop over a tile only the last index
// of A depends on k and the invocation: such an index costs an addition and a bounds check.
// A: [half][row % 4][swizzled] holds 4 steps of k of a row; with FEW_LANES, [half][k % 4][swizzled] holds 4 rows.
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

// The last index of A for the rows from 4 row4 on and the steps of k from 4 four on. Eight neighbouring vec4 fill all banks. Neighbours
// write different `four` and read different `row4`; with this permutation neither conflicts.
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
    // Not a loop: compilers would move the loads of the prefetch behind it.
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

  // A round needs ROWS blocks of A and COLUMNS blocks of B. The first ROWS invocations load a block of A each, the last COLUMNS
  // invocations a block of B.
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
  // Where blocks are stored in the tiles and read. Compilers would compute this in each round, and check the bounds, which `min` makes
  // unnecessary.
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
      // The last round does not use these numbers. They lie beyond k, where WebGPU returns any number of the operands' buffers.
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
    workgroupBarrier(); // with prefetch, the next tiles are complete; without, these have been read
  }
  let row = firstRow + 4u * row4;
  let col = firstCol + 32u * panelB + 4u * atB;
  writeQuad(&topLeft, row, col, wid.z);
  writeQuad(&topRight, row, col + COLUMNS / 2u, wid.z);
  writeQuad(&bottomLeft, row + ROWS / 2u, col, wid.z);
  writeQuad(&bottomRight, row + ROWS / 2u, col + COLUMNS / 2u, wid.z);
}
