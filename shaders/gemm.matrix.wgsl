// gemm.matrix: matrix product by the subgroup matrices (tensor cores) of a device, from operands in half precision
//
//   y[r,c] = sum_k half(A[r,k]) half(B[k,c])
//
// The operands and the store are other files', as gemm.subgroup describes; a gemm.matrix.* file says how large the matrices
// of the device are: HEIGHT x DEPTHS by DEPTHS x WIDTH.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; slice z sums depths z * depth to (z + 1) * depth and stores below the rows of
//           the slices before it
// parallel  one workgroup of 4 subgroups a tile of 64 x 64, a quarter of it a subgroup. There are two buffers of 16 depths, so
//           that one barrier a round is enough: who fills the next one has waited until all had left it, a round ago
// numerics  operands are rounded to half precision: 11 bits, infinite from 65,520 on. Sums are in single precision; in which
//           order a device adds the depths of a matrix is its own, but always the same

enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

override THREADS: u32 = 128;

const SIDE = 64u;
const STEP = 16u;
// Eight numbers apart, neighbouring depths do not begin in the same bank.
const STRIDE = SIDE + 8u;
// Matrices down and across a subgroup's quarter.
const DOWN = SIDE / 2u / HEIGHT;
const ACROSS = SIDE / 2u / WIDTH;

alias Left = subgroup_matrix_left<f16, DEPTHS, HEIGHT>;
alias Right = subgroup_matrix_right<f16, WIDTH, DEPTHS>;
alias Sum = subgroup_matrix_result<f32, WIDTH, HEIGHT>;

// [buffer, depth, row] and [buffer, depth, column].
var<workgroup> tileA: array<f16, 2 * STEP * STRIDE>;
var<workgroup> tileB: array<f16, 2 * STEP * STRIDE>;
// A matrix of sums for each subgroup, on its way to `store`.
var<workgroup> finished: array<f32, 4 * HEIGHT * WIDTH>;

@compute @workgroup_size(THREADS)
fn product(
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

  let begin = wid.z * params.depth;
  let end = min(begin + params.depth, params.k);
  var sums: array<array<Sum, ACROSS>, DOWN>;
  var buffer = 0u;
  for (var k = begin; k < end; k += STEP) {
    // 64 blocks of 4 x 4 each: neighbours load neighbouring depths of A, neighbouring columns of B.
    for (var block = thread; block < 128u; block += THREADS) {
      if (block < 64u) {
        let row = 4u * (block / 4u);
        let depth = 4u * (block % 4u);
        let a = loadA(rowsOf(firstRow + row), k + depth);
        for (var i = 0u; i < 4u; i++) {
          let at = buffer + (depth + i) * STRIDE + row;
          for (var j = 0u; j < 4u; j++) { tileA[at + j] = f16(a[i][j]); }
        }
      } else {
        let col = 4u * (block % 16u);
        let depth = 4u * (block / 16u - 4u);
        let b = loadB(k + depth, colsOf(firstCol + col));
        for (var i = 0u; i < 4u; i++) {
          let at = buffer + (depth + i) * STRIDE + col;
          for (var j = 0u; j < 4u; j++) { tileB[at + j] = f16(b[i][j]); }
        }
      }
    }
    workgroupBarrier(); // the tiles of this round are whole
    for (var depth = 0u; depth < STEP; depth += DEPTHS) {
      let at = buffer + depth * STRIDE;
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
      workgroupBarrier(); // the matrix before was read
      subgroupMatrixStore<row_major>(&finished, mine, sums[i][j], WIDTH);
      workgroupBarrier(); // this one can be
      for (var quad = lane; quad < HEIGHT * WIDTH / 4u; quad += lanes) {
        let row = firstRow + top + i * HEIGHT + quad / (WIDTH / 4u);
        let col = firstCol + left + j * WIDTH + 4u * (quad % (WIDTH / 4u));
        let at = mine + 4u * quad;
        if (row < params.m && col < params.n) {
          store(wid.z * params.m + row, col, vec4f(finished[at], finished[at + 1u], finished[at + 2u], finished[at + 3u]));
        }
      }
    }
  }
}
