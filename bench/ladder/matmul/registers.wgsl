// registers: an invocation computes 4 x 4 elements of y and keeps the elements of a and b that they share in registers
//
//   sums[i][j] += tileA[row + i, k] tileB[k, col + j]
//
// Per k, 8 loads from workgroup memory serve 16 multiply-adds: half a load each instead of two. The tile
// grows to 64 x 64, so the loads from main memory also fall to a quarter.
//
// shapes    a: [m, k], b: [k, n], y: [m, n]; m and n multiples of 64, k of 16
// parallel  64 x 64 elements of y per workgroup of 256, 4 x 4 per invocation
// numerics  one running sum over k

struct Params { m: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const TILE = 64u;
const DEPTH = 16u;
const EACH = 4u;

// [k][row] and [k][column], so that an invocation reads 4 neighbours.
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
    workgroupBarrier(); // both tiles are complete
    for (var depth = 0u; depth < DEPTH; depth++) {
      let b0 = tileB[depth][col];
      let b1 = tileB[depth][col + 1u];
      let b2 = tileB[depth][col + 2u];
      let b3 = tileB[depth][col + 3u];
      for (var i = 0u; i < EACH; i++) {
        let left = tileA[depth][row + i];
        sums[i][0] += left * b0;
        sums[i][1] += left * b1;
        sums[i][2] += left * b2;
        sums[i][3] += left * b3;
      }
    }
    workgroupBarrier(); // all invocations have read the tiles
  }
  for (var i = 0u; i < EACH; i++) {
    for (var j = 0u; j < EACH; j++) { y[(firstRow + row + i) * params.n + firstCol + col + j] = sums[i][j]; }
  }
}
