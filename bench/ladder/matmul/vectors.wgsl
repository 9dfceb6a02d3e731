// vectors: the registers kernel with loads and stores of four elements
//
//   sums[i] += tileA[row + i, k] tileB[k, col .. col + 3]          for k, k + 1, k + 2, k + 3 in turn
//
// Loads, stores and sums are vec4: a quarter of the instructions that move data, and one address per four elements. A vector of tileA
// holds four k of a row. With four rows per vector, four invocations would each write one component, and WGSL allows a write to one
// component to overwrite the whole vector.
//
// shapes    a: [m, k], b: [k, n], y: [m, n]; m and n multiples of 64, k of 16
// parallel  64 x 64 elements of y per workgroup of 256, 4 x 4 per invocation
// numerics  one running sum over k

struct Params { m: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

const TILE = 64u;
const DEPTH = 16u;

// [row][k / 4] and [k][column / 4]
var<workgroup> tileA: array<array<vec4f, DEPTH / 4u>, TILE>;
var<workgroup> tileB: array<array<vec4f, TILE / 4u>, DEPTH>;

@compute @workgroup_size(16, 16)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
  let firstRow = TILE * wid.y;
  let firstCol = TILE * wid.x;
  let rowA = thread / 4u;
  let fourA = thread % 4u;
  let depthB = thread / 16u;
  let colB = thread % 16u;
  var sums: array<vec4f, 4>;
  for (var k = 0u; k < params.k; k += DEPTH) {
    tileA[rowA][fourA] = a[((firstRow + rowA) * params.k + k) / 4u + fourA];
    tileB[depthB][colB] = b[((k + depthB) * params.n + firstCol) / 4u + colB];
    workgroupBarrier(); // both tiles are complete
    for (var four = 0u; four < DEPTH / 4u; four++) {
      var right: array<vec4f, 4>;
      for (var j = 0u; j < 4u; j++) { right[j] = tileB[4u * four + j][local.x]; }
      for (var i = 0u; i < 4u; i++) {
        let left = tileA[4u * local.y + i][four];
        for (var j = 0u; j < 4u; j++) { sums[i] += left[j] * right[j]; }
      }
    }
    workgroupBarrier(); // all invocations have read the tiles
  }
  for (var i = 0u; i < 4u; i++) { y[((firstRow + 4u * local.y + i) * params.n + firstCol) / 4u + local.x] = sums[i]; }
}
