// vectors: the same, four numbers at a time
//
//   sums[i] += tileA[row + i, k] tileB[k, col .. col + 3]
//
// Loads, stores and sums are vec4: a quarter of the instructions that move data, and addresses computed once for four
// numbers. A block of a is turned on its way into workgroup memory, so that there, too, four rows are one load.
//
// shapes    a: [m, k], b: [k, n], y: [m, n]; m and n multiples of 64, k of 16
// parallel  64 x 64 elements of y a workgroup of 256, 4 x 4 an invocation
// numerics  one running sum over k

struct Params { m: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

const TILE = 64u;
const DEPTH = 16u;

// [depth][row / 4] and [depth][column / 4]
var<workgroup> tileA: array<array<vec4f, TILE / 4u>, DEPTH>;
var<workgroup> tileB: array<array<vec4f, TILE / 4u>, DEPTH>;

@compute @workgroup_size(16, 16)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
  let firstRow = TILE * wid.y;
  let firstCol = TILE * wid.x;
  let rowA = thread / 4u;
  let depthA = 4u * (thread % 4u);
  let depthB = thread / 16u;
  let colB = thread % 16u;
  var sums: array<vec4f, 4>;
  for (var k = 0u; k < params.k; k += DEPTH) {
    let left = a[((firstRow + rowA) * params.k + k + depthA) / 4u];
    for (var i = 0u; i < 4u; i++) { tileA[depthA + i][rowA / 4u][rowA % 4u] = left[i]; }
    tileB[depthB][colB] = b[((k + depthB) * params.n + firstCol) / 4u + colB];
    workgroupBarrier(); // the tiles are whole
    for (var depth = 0u; depth < DEPTH; depth++) {
      let left = tileA[depth][local.y];
      let right = tileB[depth][local.x];
      for (var i = 0u; i < 4u; i++) { sums[i] += left[i] * right; }
    }
    workgroupBarrier(); // all have read them
  }
  for (var i = 0u; i < 4u; i++) { y[((firstRow + 4u * local.y + i) * params.n + firstCol) / 4u + local.x] = sums[i]; }
}
