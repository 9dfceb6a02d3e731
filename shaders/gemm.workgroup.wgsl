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
//           Neighbours write A at steps of k that are 4 apart, and four of them would share a bank, so A is permuted by k. While
//           a tile is multiplied, the next 16 steps of k are on their way to registers (prefetch); there is one buffer of at
//           most 16 KiB, WebGPU's default limit
// numerics  one running sum over k per element; the order is fixed

// 64, 64, 64 or 128, 128, 256.
override ROWS: u32 = 64;
override COLUMNS: u32 = 64;
override THREADS: u32 = 64;
// ROWS / 64 and COLUMNS / 64. WebKit before 2026 gives an array no elements if its count is computed from overrides.
override ROW_PANELS: u32 = 1;
override COLUMN_PANELS: u32 = 1;

const STEP = 16u;

// A tile as panels of 64 rows or columns: [i][16 four + at] holds step 4 four + i of k for rows or columns 4 at to 4 at + 3. In the inner
// loop the first two indices are constants and the third does not change, so WebGPU's bounds checks are done once per four steps.
alias Panel = array<array<vec4<Element>, 64>, 4>;
var<workgroup> tileA: array<Panel, ROW_PANELS>;
var<workgroup> tileB: array<Panel, COLUMN_PANELS>;

alias Quad = array<vec4f, 4>;
var<private> topLeft: Quad;
var<private> topRight: Quad;
var<private> bottomLeft: Quad;
var<private> bottomRight: Quad;

fn placeOf(at: u32, four: u32) -> u32 { return 16u * four + (at & 15u); }
fn swizzled(row4: u32, four: u32) -> u32 { return 16u * four + ((row4 & 15u) ^ (2u * four)); }

fn multiplyAdd(sum: ptr<private, Quad>, a: vec4f, b: vec4f) {
  for (var i = 0u; i < 4u; i++) { (*sum)[i] += b * a[i]; }
}

fn addTiles(row4: u32, col4: u32) {
  let bottomRow4 = row4 + ROWS / 8u;
  let rightCol4 = col4 + COLUMNS / 8u;
  for (var four = 0u; four < 4u; four++) {
    let topAt = swizzled(row4, four);
    let bottomAt = swizzled(bottomRow4, four);
    let leftAt = placeOf(col4, four);
    let rightAt = placeOf(rightCol4, four);
    for (var i = 0u; i < 4u; i++) {
      let top = vec4f(tileA[0][i][topAt]);
      let bottom = vec4f(tileA[ROWS / 64u - 1u][i][bottomAt]);
      let left = vec4f(tileB[0][i][leftAt]);
      let right = vec4f(tileB[COLUMNS / 64u - 1u][i][rightAt]);
      multiplyAdd(&topLeft, top, left);
      multiplyAdd(&topRight, top, right);
      multiplyAdd(&bottomLeft, bottom, left);
      multiplyAdd(&bottomRight, bottom, right);
    }
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
  let fourA = thread % 4u;
  let colB = blockB % (COLUMNS / 4u);
  let fourB = blockB / (COLUMNS / 4u);
  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, COLUMNS));
  let rows = rowsOf(firstRow + 4u * rowA);
  let cols = colsOf(firstCol + 4u * colB);
  let row4 = thread / (COLUMNS / 8u);
  let col4 = thread % (COLUMNS / 8u);
  // Where the blocks are stored. Compilers do not move this out of the loop, nor WebGPU's bounds checks, which `min` makes needless there.
  let atA = min(swizzled(rowA, fourA), 63u);
  let atB = min(placeOf(colB, fourB), 63u);
  let panelA = min(rowA >> 4u, ROWS / 64u - 1u);
  let panelB = min(colB >> 4u, COLUMNS / 64u - 1u);

  var a: mat4x4f;
  var b: mat4x4f;
  for (var k = begin; k < end + STEP; k += STEP) {
    beginRound(k);
    if (k < end) {
      if (carriesA) { a = loadA(rows, k + 4u * fourA); }
      if (carriesB) { b = loadB(k + 4u * fourB, cols); }
    }
    if (k > begin) { addTiles(row4, col4); }
    workgroupBarrier(); // all invocations have read the tiles of this round
    if (carriesA) { for (var i = 0u; i < 4u; i++) { tileA[panelA][i][atA] = vec4<Element>(a[i]); } }
    if (carriesB) { for (var i = 0u; i < 4u; i++) { tileB[panelB][i][atB] = vec4<Element>(b[i]); } }
    workgroupBarrier(); // the tiles of the next round are complete
  }
  let row = firstRow + 4u * row4;
  let col = firstCol + 4u * col4;
  writeQuad(&topLeft, row, col, wid.z);
  writeQuad(&topRight, row, col + COLUMNS / 2u, wid.z);
  writeQuad(&bottomLeft, row + ROWS / 2u, col, wid.z);
  writeQuad(&bottomRight, row + ROWS / 2u, col + COLUMNS / 2u, wid.z);
}
