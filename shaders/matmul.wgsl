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

// Where the rows in memory are aligned, places are counted in vec4, else in numbers.
fn unitA() -> u32 { return select(1u, 4u, ALIGNED_A); }
fn unitB() -> u32 { return select(1u, 4u, ALIGNED_B); }

// Where 4 rows of op(a) or 4 columns of op(b) begin in memory, at k = 0.
fn rowsOf(row: u32) -> vec4u { return select((row + NEXT) * (params.k / unitA()), vec4u(row / unitA()), TRANSPOSE_A); }
fn colsOf(col: u32) -> vec4u { return select(vec4u(col / unitB()), (col + NEXT) * (params.k / unitB()), TRANSPOSE_B); }
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

fn loadA(rows: vec4u, k: u32) -> mat4x4f {
  var block: mat4x4f;
  let width = params.m / unitA();
  for (var i = 0u; i < 4u; i++) {
    if (TRANSPOSE_A) { block[i] = readA((k + i) * width + rows.x); }
    else { block[i] = readA(rows[i] + k / unitA()); }
  }
  if (!TRANSPOSE_A) { block = transpose(block); }
  for (var i = 0u; i < 4u; i++) { block[i] = withinK(block[i], k + i); }
  return block;
}

fn loadB(k: u32, cols: vec4u) -> mat4x4f {
  let width = params.n - u32(ONES);
  let step = width / unitB();
  var block: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    if (TRANSPOSE_B) { block[i] = readB(cols[i] + k / unitB()); }
    else { block[i] = readB((k + i) * step + cols.x); }
  }
  if (TRANSPOSE_B) { block = transpose(block); }
  for (var i = 0u; i < 4u; i++) {
    if (ONES) { block[i] = select(block[i], vec4f(1), unitB() * cols.x + NEXT == vec4u(width)); }
    block[i] = withinK(block[i], k + i);
  }
  return block;
}
