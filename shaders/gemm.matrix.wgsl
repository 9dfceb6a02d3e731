// gemm.matrix: GEMM kernel for the subgroup matrices (tensor cores) of a device
//
//   y[r,c] = sum_k Element(A[r,k]) Element(B[k,c])
//
// The operands and the epilogue are in other files; gemm.subgroup describes them (no k is skipped here: a tile holds 32 or 16
// steps). gemm.half or gemm.single gives the type of the tiles, and a gemm.matrix.* file the size of the device's matrices:
// HEIGHT x K times K x WIDTH.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of 4 subgroups per tile of 64 x 64, a quarter per subgroup. A lane loads a row or column of a matrix, so
//           the steps of k lie together: up to 16 bytes per read. At most 14 KiB; WebGPU's default limit is 16
// numerics  operands are rounded to Element. Sums are f32. The device decides in which order it adds the K products of a matrix,
//           but the order is always the same

enable subgroups;
enable chromium_experimental_subgroup_matrix;

override THREADS: u32 = 128;
// Blocks of 4 x 4 of a row or column of a tile that are loaded at once: all, except with few lanes.
override AT_ONCE: u32 = 8;

const SIDE = 64u;
const STEP = 4u * PER_16_BYTES;
// 16 bytes more, so that 8 rows of 16 bytes each lie in different banks.
const STRIDE = STEP + PER_16_BYTES;
// Matrices down and across the quarter of a subgroup.
const DOWN = SIDE / 2u / HEIGHT;
const ACROSS = SIDE / 2u / WIDTH;

alias Left = subgroup_matrix_left<Element, K, HEIGHT>;
alias Right = subgroup_matrix_right<Element, WIDTH, K>;
alias Sum = subgroup_matrix_result<f32, WIDTH, HEIGHT>;

// Panels of the rows or columns of a matrix: [row, step of k] and [column, step of k]. A subgroup loads a matrix from a constant
// place of a panel. So a compiler sees that it is within bounds, and how it is aligned.
var<workgroup> tileA: array<array<Element, HEIGHT * STRIDE>, SIDE / HEIGHT>;
var<workgroup> tileB: array<array<Element, WIDTH * STRIDE>, SIDE / WIDTH>;
// One matrix of sums per subgroup, on its way to the epilogue.
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

  // If there are invocations enough, the first ones load A and the last ones B. Neighbours load neighbouring steps of k of A, and
  // four neighbouring columns of B.
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
  // `min` changes nothing, but compilers then see that WebGPU's bounds checks do not either, and join the stores of four steps.
  let atA = 4u * min((rowA & (HEIGHT / 4u - 1u)) * STRIDE + fourA, (HEIGHT / 4u - 1u) * STRIDE + AT_ONCE - 1u);
  let atB = 4u * min((colB & (WIDTH / 4u - 1u)) * STRIDE + fourB, (WIDTH / 4u - 1u) * STRIDE + AT_ONCE - 1u);

  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, SIDE));
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
