// tiles: blocks of a and b are shared through workgroup memory
//
//   y[r,c] = sum over blocks of 16 depths of sum_i tileA[r,i] tileB[i,c]
//
// A workgroup loads 16 x 16 numbers of a and of b once and uses each 16 times: an eighth of the memory traffic of 8 x 8
// elements that share nothing. Still two loads, now from workgroup memory, for one multiplication and addition.
//
// shapes    a: [m, k], b: [k, n], y: [m, n], all multiples of 16
// parallel  16 x 16 elements of y a workgroup, one an invocation
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
    workgroupBarrier(); // the tiles are whole
    for (var i = 0u; i < TILE; i++) { sum += tileA[local.y][i] * tileB[i][local.x]; }
    workgroupBarrier(); // all have read them
  }
  y[id.y * params.n + id.x] = sum;
}
