// gemm.workgroup: matrix product with tiles in workgroup memory: what GPUs run best
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the store are other files', as gemm.subgroup describes (depths are not skipped here: a tile holds 16);
// `Element`, what a tile holds, is that of gemm.single or gemm.half.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; slice z sums depths z * depth to (z + 1) * depth and stores below the rows of
//           the slices before it
// parallel  one workgroup of THREADS = ROWS * COLUMNS / 64 invocations a tile of ROWS x COLUMNS, 8 x 8 an invocation: four
//           4 x 4 blocks half a tile apart, so that neighbours read neighbouring vec4 of B and the same of A: no bank
//           conflicts. Neighbours write A at depths 4 apart, so these are permuted by depth, or four would share a bank.
//           The next 16 depths travel to registers while the present ones are multiplied: one buffer of at most 16 KiB,
//           WebGPU's default limit
// numerics  one running sum over k for each element; fixed order

// 64, 64, 64 or 128, 128, 256 or, for the few channels of a convolution, 32, 128, 64.
override ROWS: u32 = 64;
override COLUMNS: u32 = 64;
override THREADS: u32 = 64;

const STEP = 16u;

// The 16 depths of the first 64 rows, or columns, 4 to a vec4, then of the next 64. Two indices and not one: the checks that
// WebGPU adds to them are then done once and not in the inner loop, for the first index is constant there, the second invariant.
alias Panel = array<vec4<Element>, 16>;
var<workgroup> tileA: array<Panel, 16 * ((ROWS + 63) / 64)>;
var<workgroup> tileB: array<Panel, 16 * ((COLUMNS + 63) / 64)>;

alias Quad = array<vec4f, 4>;
var<private> topLeft: Quad;
var<private> topRight: Quad;
var<private> bottomLeft: Quad;
var<private> bottomRight: Quad;

fn swizzle(row4: u32, four: u32) -> u32 { return row4 ^ (2u * four); }

fn addProduct(sum: ptr<private, Quad>, a: vec4f, b: vec4f) {
  for (var i = 0u; i < 4u; i++) { (*sum)[i] += b * a[i]; }
}

// Where the 4 rows, or columns, of number `at` begin.
fn panelOf(at: u32) -> u32 { return STEP * (at / 16u); }

fn addTiles(row4: u32, col4: u32) {
  let bottomRow4 = row4 + ROWS / 8u;
  let rightCol4 = col4 + COLUMNS / 8u;
  for (var four = 0u; four < STEP / 4u; four++) {
    let topAt = swizzle(row4 % 16u, four);
    let bottomAt = swizzle(bottomRow4 % 16u, four);
    for (var k = 4u * four; k < 4u * four + 4u; k++) {
      let top = vec4f(tileA[k][topAt]);
      let bottom = vec4f(tileA[panelOf(ROWS / 8u) + k][bottomAt]);
      let left = vec4f(tileB[k][col4]);
      let right = vec4f(tileB[panelOf(COLUMNS / 8u) + k][rightCol4 % 16u]);
      addProduct(&topLeft, top, left);
      addProduct(&topRight, top, right);
      addProduct(&bottomLeft, bottom, left);
      addProduct(&bottomRight, bottom, right);
    }
  }
}

// A block that this invocation carries from memory to a tile: 4 depths of 4 columns.
fn putB(col4: u32, depth: u32, b: mat4x4f) {
  for (var i = 0u; i < 4u; i++) { tileB[panelOf(col4) + depth + i][col4 % 16u] = vec4<Element>(b[i]); }
}

fn storeQuad(sum: ptr<private, Quad>, row: u32, col: u32, slice: u32) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { store(slice * params.m + row + i, col, (*sum)[i]); }
  }
}

@compute @workgroup_size(THREADS)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + ROWS - 1u) / ROWS;
  let firstRow = ROWS * (tile % down);
  let firstCol = COLUMNS * (tile / down);
  if (firstCol >= params.n) { return; }

  // 16 depths of a tile are ROWS blocks of 4 x 4 of A and COLUMNS of B. The first invocations carry one of A; the last
  // ones carry one of B, or all of them two.
  let carriesA = thread < ROWS;
  let carriesB = thread + COLUMNS >= THREADS;
  let blockB = thread % COLUMNS;
  let rowA = thread / 4u;
  let depthA = 4u * (thread % 4u);
  let colB = blockB % (COLUMNS / 4u);
  let depthB = 4u * (blockB / (COLUMNS / 4u));
  let rows = rowsOf(firstRow + 4u * rowA);
  let cols = colsOf(firstCol + 4u * colB);
  let row4 = thread / (COLUMNS / 8u);
  let col4 = thread % (COLUMNS / 8u);

  let begin = wid.z * params.depth;
  let end = min(begin + params.depth, params.k);
  var a: mat4x4f;
  var b: mat4x4f;
  var secondB: mat4x4f;
  for (var k = begin; k < end + STEP; k += STEP) {
    if (k < end) {
      if (carriesA) { a = loadA(rows, k + depthA); }
      if (carriesB) { b = loadB(k + depthB, cols); }
      if (COLUMNS > THREADS) { secondB = loadB(k + depthB + 8u, cols); }
    }
    if (k > begin) { addTiles(row4, col4); }
    workgroupBarrier(); // all have read the tiles of this round
    if (carriesA) { for (var i = 0u; i < 4u; i++) { tileA[panelOf(rowA) + depthA + i][swizzle(rowA % 16u, depthA / 4u)] = vec4<Element>(a[i]); } }
    if (carriesB) { putB(colB, depthB, b); }
    if (COLUMNS > THREADS) { putB(colB, depthB + 8u, secondB); }
    workgroupBarrier(); // the tiles of the next round are whole
  }
  let row = firstRow + 4u * row4;
  let col = firstCol + 4u * col4;
  storeQuad(&topLeft, row, col, wid.z);
  storeQuad(&topRight, row, col + COLUMNS / 2u, wid.z);
  storeQuad(&bottomLeft, row + ROWS / 2u, col, wid.z);
  storeQuad(&bottomRight, row + ROWS / 2u, col + COLUMNS / 2u, wid.z);
}
