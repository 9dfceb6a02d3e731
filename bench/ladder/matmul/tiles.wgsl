// tiles: a workgroup shares tiles of a and b in workgroup memory
//
//   y[r,c] = sum over tiles of 16 k of sum_i tileA[r,i] tileB[i,c]
//
// A workgroup loads 16 x 16 elements of a and of b once and uses each 16 times: 512 loads for 4,096 multiply-adds, a sixteenth of the
// naive kernel's 8,192. Each multiply-add still takes two loads, but from workgroup memory.
//
// shapes    a: [m, k], b: [k, n], y: [m, n], all multiples of 16
// parallel  16 x 16 elements of y per workgroup, one per invocation
// numerics  one running sum over k

struct Params { m: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const TILE = 16u;

var<workgroup> tileA: array<array<f32, TILE>, TILE>;
var<workgroup> tileB: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn product(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  var sum = 0.0;
  for (var k = 0u; k < params.k; k += TILE) {
    tileA[local.y][local.x] = a[id.y * params.k + k + local.x];
    tileB[local.y][local.x] = b[(k + local.y) * params.n + id.x];
    workgroupBarrier(); // both tiles are complete
    for (var i = 0u; i < TILE; i++) { sum += tileA[local.y][i] * tileB[i][local.x]; }
    workgroupBarrier(); // all invocations have read the tiles
  }
  y[id.y * params.n + id.x] = sum;
}
