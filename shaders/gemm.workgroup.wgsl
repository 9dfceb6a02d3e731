// gemm.workgroup: matrix product with tiles in workgroup memory: what GPUs run best
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the store are other files', as gemm.subgroup describes (depths are not skipped here: a tile holds 16).
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; slice z sums depths z * depth to (z + 1) * depth and stores below the rows of
//           the slices before it
// parallel  one workgroup of THREADS = TILE * TILE / 64 invocations a tile of TILE x TILE, 8 x 8 an invocation: four 4 x 4
//           blocks half a tile apart, so that neighbours read neighbouring vec4 of B and the same of A: no bank conflicts.
//           Neighbours write A at depths 4 apart, so these are permuted by depth, or four of them would share a bank.
//           The next 16 depths travel to registers while the present ones are multiplied: one buffer of
//           2 * 16 * TILE numbers (8 KiB at TILE 64, 16 KiB at 128, WebGPU's default limit)
// numerics  one running sum over k for each element; fixed order

override TILE: u32 = 64; // 64 or 128
override THREADS: u32 = 64; // TILE * TILE / 64

const STEP = 16u;

// The 16 depths of the first 64 rows, or columns, 4 to a vec4, then of the next 64. Two indices and not one: the checks that
// WebGPU adds to them are then done once and not in the inner loop, for the first index is constant there, the second invariant.
alias Panel = array<vec4f, 16>;
var<workgroup> tileA: array<Panel, TILE / 4>;
var<workgroup> tileB: array<Panel, TILE / 4>;

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
  let half = TILE / 8u;
  for (var four = 0u; four < STEP / 4u; four++) {
    let topAt = swizzle(row4 % 16u, four);
    let bottomAt = swizzle((row4 + half) % 16u, four);
    for (var k = 4u * four; k < 4u * four + 4u; k++) {
      let top = tileA[k][topAt];
      let bottom = tileA[panelOf(half) + k][bottomAt];
      let left = tileB[k][col4 % 16u];
      let right = tileB[panelOf(half) + k][(col4 + half) % 16u];
      addProduct(&topLeft, top, left);
      addProduct(&topRight, top, right);
      addProduct(&bottomLeft, bottom, left);
      addProduct(&bottomRight, bottom, right);
    }
  }
}

fn storeQuad(sum: ptr<private, Quad>, row: u32, col: u32, slice: u32) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { store(slice * params.m + row + i, col, (*sum)[i]); }
  }
}

@compute @workgroup_size(THREADS)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + TILE - 1u) / TILE;
  let firstRow = TILE * (tile % down);
  let firstCol = TILE * (tile / down);
  if (firstCol >= params.n) { return; }

  // A tile of 16 depths is TILE blocks of 4 x 4, of A and of B: in a small workgroup every invocation carries one of
  // each, in a large one half of them carry A's and the other half B's.
  let carriesA = thread < TILE;
  let carriesB = thread >= THREADS - TILE;
  let blockB = (thread + TILE - THREADS) % TILE;
  let rowA = thread / 4u;
  let depthA = 4u * (thread % 4u);
  let colB = blockB % (TILE / 4u);
  let depthB = 4u * (blockB / (TILE / 4u));
  let rows = rowsOf(firstRow + 4u * rowA);
  let cols = colsOf(firstCol + 4u * colB);
  let row4 = thread / (TILE / 8u);
  let col4 = thread % (TILE / 8u);

  let begin = wid.z * params.depth;
  let end = min(begin + params.depth, params.k);
  var a: mat4x4f;
  var b: mat4x4f;
  for (var k = begin; k < end + STEP; k += STEP) {
    if (k < end) {
      if (carriesA) { a = loadA(rows, k + depthA); }
      if (carriesB) { b = loadB(k + depthB, cols); }
    }
    if (k > begin) { addTiles(row4, col4); }
    workgroupBarrier(); // all have read the tiles of this round
    for (var i = 0u; i < 4u; i++) {
      if (carriesA) { tileA[panelOf(rowA) + depthA + i][swizzle(rowA % 16u, depthA / 4u)] = a[i]; }
      if (carriesB) { tileB[panelOf(colB) + depthB + i][colB % 16u] = b[i]; }
    }
    workgroupBarrier(); // the tiles of the next round are whole
  }
  let row = firstRow + 4u * row4;
  let col = firstCol + 4u * col4;
  storeQuad(&topLeft, row, col, wid.z);
  storeQuad(&topRight, row, col + TILE / 2u, wid.z);
  storeQuad(&bottomLeft, row + TILE / 2u, col, wid.z);
  storeQuad(&bottomRight, row + TILE / 2u, col + TILE / 2u, wid.z);
}
