// gemm.matrix: GEMM kernel for the subgroup matrices (tensor cores) of a device
//
//   y[r,c] = sum_k Element(A[r,k]) Element(B[k,c])
//
// The operands and the epilogue are in other files; gemm.subgroup describes them. gemm.half or gemm.single gives `Element`, the type
// of the tiles, and gemm.matrix.* the size of the device's matrices: HEIGHT x K times K x WIDTH.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of 4 subgroups per tile of 64 x 64. Each subgroup computes a quarter of it. A round has STEP steps of k: 32 of
//           f16, or 16 of f32. Tiles keep the steps of a row or column together, so a lane reads up to 16 bytes at once. They take
//           at most 14 KiB; WebGPU's default limit is 16
// numerics  operands are rounded to Element, sums are f32. The device chooses the order in which it adds the K products of a matrix.
//           It is always the same

enable subgroups;
enable chromium_experimental_subgroup_matrix;

override THREADS: u32 = 128;
// How many steps of k, in fours, the workgroup loads at once for all rows and columns. With few lanes it needs several turns.
override AT_ONCE: u32 = 8;

const SIDE = 64u;
const STEP = 4u * PER_16_BYTES;
// The distance of rows in a tile. 16 bytes are padding, so that 8 rows lie in different banks.
const STRIDE = STEP + PER_16_BYTES;
// A subgroup's quarter has DOWN x ACROSS matrices.
const DOWN = SIDE / 2u / HEIGHT;
const ACROSS = SIDE / 2u / WIDTH;

alias Left = subgroup_matrix_left<Element, K, HEIGHT>;
alias Right = subgroup_matrix_right<Element, WIDTH, K>;
alias Sum = subgroup_matrix_result<f32, WIDTH, HEIGHT>;

// A tile is an array of panels, one per matrix: [row, step of k] for A, [column, step of k] for B. A subgroup loads a matrix from a
// constant place of a panel, so compilers see that it is within bounds, and how it is aligned.
var<workgroup> tileA: array<array<Element, HEIGHT * STRIDE>, SIDE / HEIGHT>;
var<workgroup> tileB: array<array<Element, WIDTH * STRIDE>, SIDE / WIDTH>;
// One matrix of sums per subgroup: the epilogue needs them as numbers.
var<workgroup> finished: array<array<f32, HEIGHT * WIDTH>, 4>;

// Blocks of 4 x 4 of a tile.
const BLOCKS = SIDE / 4u * (STEP / 4u);

@compute @workgroup_size(THREADS)
fn gemm(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) lanes: u32,
) {
  let tile = wid.y * groups.x + wid.x;
  let tilesDown = (params.m + SIDE - 1u) / SIDE;
  let firstRow = SIDE * (tile % tilesDown);
  let firstCol = SIDE * (tile / tilesDown);
  if (firstCol >= params.n) { return; }
  let down = subgroup / 2u * DOWN;
  let across = subgroup % 2u * ACROSS;
  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, SIDE));

  // If there are enough invocations, the first ones load A and the last ones B. Neighbours load neighbouring steps of k of A, and
  // neighbouring columns of B.
  let carriesA = THREADS <= BLOCKS || thread < BLOCKS;
  let carriesB = THREADS <= BLOCKS || thread + BLOCKS >= THREADS;
  let block = thread & (BLOCKS - 1u);
  let rowA = block / AT_ONCE;
  let fourA = block & (AT_ONCE - 1u);
  let colB = 4u * (block / (4u * AT_ONCE)) + (block & 3u);
  let fourB = (block / 4u) & (AT_ONCE - 1u);
  let rows = rowsOf(firstRow + 4u * rowA, 4u * fourA);
  let cols = colsOf(firstCol + 4u * colB, 4u * fourB);
  let panelA = rowA / (HEIGHT / 4u);
  let panelB = colB / (WIDTH / 4u);
  // `min` changes nothing. Compilers then see that the index is within bounds, and join the stores of four steps of k.
  let atA = 4u * min((rowA & (HEIGHT / 4u - 1u)) * STRIDE + fourA, (HEIGHT / 4u - 1u) * STRIDE + AT_ONCE - 1u);
  let atB = 4u * min((colB & (WIDTH / 4u - 1u)) * STRIDE + fourB, (WIDTH / 4u - 1u) * STRIDE + AT_ONCE - 1u);
  var sums: array<array<Sum, ACROSS>, DOWN>;
  for (var k = begin; k < end; k += STEP) {
    beginRound(k);
    for (var turn = 0u; turn < STEP / 4u / AT_ONCE; turn++) {
      let inTile = 4u * turn * AT_ONCE;
      if (carriesA) {
        let a = transpose(loadA(rows, k + inTile, 4u * fourA));
        for (var j = 0u; j < 4u; j++) {
          for (var i = 0u; i < 4u; i++) { tileA[panelA][atA + inTile + j * STRIDE + i] = Element(a[j][i]); }
        }
      }
      if (carriesB) {
        let b = transpose(loadB(k + inTile, 4u * fourB, cols));
        for (var j = 0u; j < 4u; j++) {
          for (var i = 0u; i < 4u; i++) { tileB[panelB][atB + inTile + j * STRIDE + i] = Element(b[j][i]); }
        }
      }
    }
    workgroupBarrier(); // the tiles of this round are complete
    for (var inTile = 0u; inTile < STEP; inTile += K) {
      var rights: array<Right, ACROSS>;
      for (var j = 0u; j < ACROSS; j++) {
        rights[j] = subgroupMatrixLoad<Right, col_major>(&tileB[across + j], inTile, STRIDE);
      }
      for (var i = 0u; i < DOWN; i++) {
        let left = subgroupMatrixLoad<Left, row_major>(&tileA[down + i], inTile, STRIDE);
        for (var j = 0u; j < ACROSS; j++) {
          sums[i][j] = subgroupMatrixMultiplyAccumulate(left, rights[j], sums[i][j]);
        }
      }
    }
    workgroupBarrier(); // the tiles have been read
  }

  let matrix = &finished[subgroup];
  for (var i = 0u; i < DOWN; i++) {
    for (var j = 0u; j < ACROSS; j++) {
      subgroupMatrixStore<row_major>(matrix, 0, sums[i][j], WIDTH);
      workgroupBarrier(); // this matrix is complete
      for (var quad = lane; quad < HEIGHT * WIDTH / 4u; quad += lanes) {
        let row = firstRow + (down + i) * HEIGHT + quad / (WIDTH / 4u);
        let col = firstCol + (across + j) * WIDTH + 4u * (quad % (WIDTH / 4u));
        let at = 4u * quad;
        if (row < params.m && col < params.n) {
          epilogue(wid.z * params.m + row, col, vec4f(matrix[at], matrix[at + 1u], matrix[at + 2u], matrix[at + 3u]));
        }
      }
      workgroupBarrier(); // this matrix has been read
    }
  }
}
