// registers: an invocation computes 4 x 4 elements, and holds what it has loaded in registers
//
//   sums[i][j] += tileA[row + i, k] tileB[k, col + j]
//
// 8 numbers out of workgroup memory serve 16 multiplications and additions, where one element an invocation takes 2
// numbers for each. The tile grows to 64 x 64 with it, so main memory is read a quarter as often, too.
//
// shapes    a: [m, k], b: [k, n], y: [m, n]; m and n multiples of 64, k of 16
// parallel  64 x 64 elements of y a workgroup of 256
// numerics  one running sum over k

struct Params { m: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const TILE = 64u;
const DEPTH = 16u;
const EACH = 4u;

// [depth][row] and [depth][column]: what an invocation reads lies side by side.
var<workgroup> tileA: array<array<f32, TILE>, DEPTH>;
var<workgroup> tileB: array<array<f32, TILE>, DEPTH>;

@compute @workgroup_size(16, 16)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
  let firstRow = TILE * wid.y;
  let firstCol = TILE * wid.x;
  let row = EACH * local.y;
  let col = EACH * local.x;
  var sums: array<array<f32, EACH>, EACH>;
  for (var k = 0u; k < params.k; k += DEPTH) {
    for (var i = thread; i < TILE * DEPTH; i += 256u) {
      tileA[i % DEPTH][i / DEPTH] = a[(firstRow + i / DEPTH) * params.k + k + i % DEPTH];
      tileB[i / TILE][i % TILE] = b[(k + i / TILE) * params.n + firstCol + i % TILE];
    }
    workgroupBarrier(); // the tiles are whole
    for (var depth = 0u; depth < DEPTH; depth++) {
      for (var i = 0u; i < EACH; i++) {
        let left = tileA[depth][row + i];
        for (var j = 0u; j < EACH; j++) { sums[i][j] += left * tileB[depth][col + j]; }
      }
    }
    workgroupBarrier(); // all have read them
  }
  for (var i = 0u; i < EACH; i++) {
    for (var j = 0u; j < EACH; j++) { y[(firstRow + row + i) * params.n + firstCol + col + j] = sums[i][j]; }
  }
}
