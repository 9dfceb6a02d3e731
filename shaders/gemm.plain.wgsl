// gemm.plain: matrix product without subgroups or workgroup memory: for software adapters that lack subgroups
//
//   y[r,c] = sum_k A[r,k] B[k,c]
//
// The operands and the store are other files', as gemm.subgroup describes.
//
// shapes    A: [m, k], B: [k, n], y: [m, n]; slice z sums depths z * depth to (z + 1) * depth and stores below the rows of
//           the slices before it
// parallel  one invocation 8 x 8 of y in registers, 32 x 16 a workgroup; every number loaded is used 8 times
// numerics  4 products are summed before they are added to the running sum; fixed order

alias Quad = array<vec4f, 4>;
var<private> topLeft: Quad;
var<private> topRight: Quad;
var<private> bottomLeft: Quad;
var<private> bottomRight: Quad;

fn addProduct(sum: ptr<private, Quad>, a: mat4x4f, b: mat4x4f) {
  for (var i = 0u; i < 4u; i++) { (*sum)[i] += b * a[i]; }
}

fn storeQuad(sum: ptr<private, Quad>, row: u32, col: u32, slice: u32) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { store(slice * params.m + row + i, col, (*sum)[i]); }
  }
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + 31u) / 32u;
  let row = 32u * (tile % down) + 8u * (thread % 4u);
  let col = 16u * (tile / down) + 8u * (thread / 4u);
  if (row >= params.m || col >= params.n) { return; }
  let topRows = rowsOf(row);
  let bottomRows = rowsOf(row + 4u);
  let leftCols = colsOf(col);
  let rightCols = colsOf(col + 4u);
  let depths = depthsOf(col);
  let end = min((wid.z + 1u) * params.depth, params.k);
  for (var k = skip(wid.z * params.depth, depths); k < end; k = skip(k + 4u, depths)) {
    let top = transpose(loadA(topRows, k));
    let bottom = transpose(loadA(bottomRows, k));
    let left = loadB(k, leftCols);
    addProduct(&topLeft, top, left);
    addProduct(&bottomLeft, bottom, left);
    let right = loadB(k, rightCols);
    addProduct(&topRight, top, right);
    addProduct(&bottomRight, bottom, right);
  }
  storeQuad(&topLeft, row, col, wid.z);
  storeQuad(&topRight, row, col + 4u, wid.z);
  storeQuad(&bottomLeft, row + 4u, col, wid.z);
  storeQuad(&bottomRight, row + 4u, col + 4u, wid.z);
}
