// gemm.matrix: GEMM kernel for the subgroup matrices (tensor cores) of a device, with operands in half precision
//
//   y[r,c] = sum_k half(A[r,k]) half(B[k,c])
//
// The operands and the epilogue are in other files; gemm.subgroup describes them. A gemm.matrix.* file gives the size of the
// device's matrices: HEIGHT x K times K x WIDTH.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; part z of k goes from z * kPerPart to (z + 1) * kPerPart, and its sums are stored
//           below those of the parts before it
// parallel  one workgroup of 4 subgroups per tile of 64 x 64, a quarter per subgroup. There are two buffers of 16 steps of k, so
//           one barrier per round is enough: a subgroup that fills the next buffer has waited until all others had left it
// numerics  operands are rounded to half precision: 11 significant bits, infinite from 65,520 on. Sums are f32. The device
//           decides in which order it adds the K products of a matrix, but the order is always the same

enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

override THREADS: u32 = 128;

const SIDE = 64u;
const STEP = 16u;
// 8 extra numbers, so that neighbouring steps of k do not begin in the same bank.
const STRIDE = SIDE + 8u;
// Matrices down and across the quarter of a subgroup.
const DOWN = SIDE / 2u / HEIGHT;
const ACROSS = SIDE / 2u / WIDTH;

alias Left = subgroup_matrix_left<f16, K, HEIGHT>;
alias Right = subgroup_matrix_right<f16, WIDTH, K>;
alias Sum = subgroup_matrix_result<f32, WIDTH, HEIGHT>;

// [buffer, step of k, row] and [buffer, step of k, column].
var<workgroup> tileA: array<f16, 2 * STEP * STRIDE>;
var<workgroup> tileB: array<f16, 2 * STEP * STRIDE>;
// One matrix of sums per subgroup, on its way to the epilogue.
var<workgroup> finished: array<f32, 4 * HEIGHT * WIDTH>;

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
  let top = SIDE / 2u * (subgroup / 2u);
  let left = SIDE / 2u * (subgroup % 2u);

  let begin = wid.z * params.kPerPart;
  let end = min(begin + params.kPerPart, tileK(firstCol, SIDE));
  var sums: array<array<Sum, ACROSS>, DOWN>;
  var buffer = 0u;
  for (var k = begin; k < end; k += STEP) {
    beginRound(k);
    // 64 blocks of 4 x 4 of each operand. Neighbours load neighbouring steps of k of A, and neighbouring columns of B.
    for (var block = thread; block < 128u; block += THREADS) {
      if (block < 64u) {
        let row = 4u * (block / 4u);
        let inTile = 4u * (block % 4u);
        let a = loadA(rowsOf(firstRow + row), k + inTile);
        for (var i = 0u; i < 4u; i++) {
          let at = buffer + (inTile + i) * STRIDE + row;
          for (var j = 0u; j < 4u; j++) { tileA[at + j] = f16(a[i][j]); }
        }
      } else {
        let col = 4u * (block % 16u);
        let inTile = 4u * (block / 16u - 4u);
        let b = loadB(k + inTile, colsOf(firstCol + col));
        for (var i = 0u; i < 4u; i++) {
          let at = buffer + (inTile + i) * STRIDE + col;
          for (var j = 0u; j < 4u; j++) { tileB[at + j] = f16(b[i][j]); }
        }
      }
    }
    workgroupBarrier(); // the tiles of this round are complete
    for (var inTile = 0u; inTile < STEP; inTile += K) {
      let at = buffer + inTile * STRIDE;
      var rights: array<Right, ACROSS>;
      for (var j = 0u; j < ACROSS; j++) {
        rights[j] = subgroupMatrixLoad<Right, row_major>(&tileB, at + left + j * WIDTH, STRIDE);
      }
      for (var i = 0u; i < DOWN; i++) {
        let rows = subgroupMatrixLoad<Left, col_major>(&tileA, at + top + i * HEIGHT, STRIDE);
        for (var j = 0u; j < ACROSS; j++) {
          sums[i][j] = subgroupMatrixMultiplyAccumulate(rows, rights[j], sums[i][j]);
        }
      }
    }
    buffer = STEP * STRIDE - buffer;
  }

  let mine = subgroup * HEIGHT * WIDTH;
  for (var i = 0u; i < DOWN; i++) {
    for (var j = 0u; j < ACROSS; j++) {
      workgroupBarrier(); // the previous matrix has been read
      subgroupMatrixStore<row_major>(&finished, mine, sums[i][j], WIDTH);
      workgroupBarrier(); // this matrix is complete
      for (var quad = lane; quad < HEIGHT * WIDTH / 4u; quad += lanes) {
        let row = firstRow + top + i * HEIGHT + quad / (WIDTH / 4u);
        let col = firstCol + left + j * WIDTH + 4u * (quad % (WIDTH / 4u));
        let at = mine + 4u * quad;
        if (row < params.m && col < params.n) {
          epilogue(wid.z * params.m + row, col, vec4f(finished[at], finished[at + 1u], finished[at + 2u], finished[at + 3u]));
        }
      }
    }
  }
}
