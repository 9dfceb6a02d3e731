// gatherRows: rows of a tensor, selected by index
//
//   forward   y[k,c]  = x[index[k], c];     `missing` if index[k] >= rows: NaN, or 2^32 - 1 for u32
//   backward  dx[r,c] = sum of dy[k,c] over the k with index[k] = r
//
// shapes    x, dx: [rows, cols]; index: [count] u32; y, dy: [count, cols]
// parallel  forward: one invocation per element of y; backward: one per column of `each` rows of dx, which
//           reads all of index. So neighbours read the same index and neighbouring elements of dy, and the work does not grow with rows
// numerics  a row that is selected several times adds its gradients in the order of index, without atomics.
//           forward copies words of either element type as i32, because a device may treat small integers in an f32 as 0

// A constant bound: a compiler reads this many indices at once.
const BLOCK = 16u;

struct Params { rows: u32, cols: u32, count: u32, missing: i32, each: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<i32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.count * params.cols) { return; }
  let row = index[i / params.cols];
  if (row < params.rows) {
    y[i] = x[row * params.cols + i % params.cols];
  } else {
    y[i] = params.missing;
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  let first = i / params.cols * params.each;
  let c = i % params.cols;
  if (first >= params.rows) { return; }
  let taken = min(params.each, params.rows - first);
  for (var r = 0u; r < taken; r++) { dx[(first + r) * params.cols + c] = 0.0; }
  for (var block = 0u; block < params.count; block += BLOCK) {
    for (var j = 0u; j < BLOCK; j++) {
      let k = block + j;
      let row = index[k];
      // Below first, the difference wraps around to a large number.
      if (k < params.count && row - first < taken) { dx[row * params.cols + c] += dy[k * params.cols + c]; }
    }
  }
}
