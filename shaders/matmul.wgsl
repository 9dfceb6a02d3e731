// matmul: the operands of a matrix multiplication, each as it is in memory or transposed; gemm.* multiply them
//
//   forward   y = op(a) op(b)
//   backward  d op(a) = dy op(b)^T,  d op(b) = op(a)^T dy          multiplications of the same kind
//
// shapes    op(a): [m, k], op(b): [k, n]; a: [m, k] or, with TRANSPOSE_A, [k, m]; b: [k, n] or, with TRANSPOSE_B, [n, k]
// parallel  called by a GEMM kernel; ALIGNED_*: the rows in memory start at multiples of 4, so vec4 can be loaded; WHOLE_K: no tile
//           reaches beyond k, so its end needs no check
// numerics  exact: numbers are passed on unchanged. With MASKED, a counts only where mask is not <= 0: the gradient of a ReLU,
//           given its output. With ONES, op(b) has one more column than b, of ones

override TRANSPOSE_A = false;
override TRANSPOSE_B = false;
override ALIGNED_A = false;
override ALIGNED_B = false;
override MASKED = false;
override ONES = false;
override WHOLE_K = false;

struct Params { m: u32, n: u32, k: u32, kPerPart: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read> mask: array<vec4f>;

const NEXT = vec4u(0, 1, 2, 3);

// Four rows of op(a) or columns of op(b), for an invocation that loads the steps of k from inTile on: the place of the first one, the
// width of the rows in memory, and the number of the first one. Where the rows are aligned, places are counted in vec4, else in numbers.
struct Four { at: u32, width: u32, number: u32 }

fn fourOf(number: u32, inTile: u32, width: u32, unit: u32, rowsAreK: bool) -> Four {
  let rowWidth = width / unit;
  return Four(select(number * rowWidth + inTile / unit, inTile * rowWidth + number / unit, rowsAreK), rowWidth, number);
}
fn unitA() -> u32 { return select(1u, 4u, ALIGNED_A); }
fn unitB() -> u32 { return select(1u, 4u, ALIGNED_B); }
fn columnsB() -> u32 { return params.n - u32(ONES); }
fn rowsOf(row: u32, inTile: u32) -> Four {
  return fourOf(row, inTile, select(params.k, params.m, TRANSPOSE_A), unitA(), TRANSPOSE_A);
}
fn colsOf(col: u32, inTile: u32) -> Four {
  return fourOf(col, inTile, select(columnsB(), params.k, TRANSPOSE_B), unitB(), !TRANSPOSE_B);
}
fn tileK(firstCol: u32, columns: u32) -> u32 { return params.k; }
fn beginRound(k: u32) {}

// Four neighbouring numbers in memory.
fn readA(at: u32) -> vec4f {
  let i = at + NEXT;
  var value: vec4f;
  if (ALIGNED_A) { value = a[at]; }
  else { value = vec4f(a[i.x / 4u][i.x % 4u], a[i.y / 4u][i.y % 4u], a[i.z / 4u][i.z % 4u], a[i.w / 4u][i.w % 4u]); }
  if (!MASKED) { return value; }
  var y: vec4f;
  if (ALIGNED_A) { y = mask[at]; }
  else { y = vec4f(mask[i.x / 4u][i.x % 4u], mask[i.y / 4u][i.y % 4u], mask[i.z / 4u][i.z % 4u], mask[i.w / 4u][i.w % 4u]); }
  return select(value, vec4f(), y <= vec4f());
}

fn readB(at: u32) -> vec4f {
  if (ALIGNED_B) { return b[at]; }
  let i = at + NEXT;
  return vec4f(b[i.x / 4u][i.x % 4u], b[i.y / 4u][i.y % 4u], b[i.z / 4u][i.z % 4u], b[i.w / 4u][i.w % 4u]);
}

fn withinK(value: vec4f, k: u32) -> vec4f { return select(vec4f(), value, WHOLE_K || k < params.k); }

// The place of the i-th four numbers. GPUs add to one place what is the same for all lanes; CPUs keep the first sum from round to round.
fn placeOf(four: Four, k: u32, i: u32, unit: u32, rowsAreK: bool) -> u32 {
  if (rowsAreK) { return (k + i) * four.width + four.at; }
  return four.at + i * four.width + k / unit;
}

fn loadA(rows: Four, start: u32, inTile: u32) -> mat4x4f {
  var block: mat4x4f;
  for (var i = 0u; i < 4u; i++) { block[i] = readA(placeOf(rows, start, i, unitA(), TRANSPOSE_A)); }
  if (!TRANSPOSE_A) { block = transpose(block); }
  for (var i = 0u; i < 4u; i++) { block[i] = withinK(block[i], start + inTile + i); }
  return block;
}

fn loadB(start: u32, inTile: u32, cols: Four) -> mat4x4f {
  var block: mat4x4f;
  for (var i = 0u; i < 4u; i++) { block[i] = readB(placeOf(cols, start, i, unitB(), !TRANSPOSE_B)); }
  if (TRANSPOSE_B) { block = transpose(block); }
  for (var i = 0u; i < 4u; i++) {
    if (ONES) { block[i] = select(block[i], vec4f(1), cols.number + NEXT == vec4u(columnsB())); }
    block[i] = withinK(block[i], start + inTile + i);
  }
  return block;
}
