// matmul.store: the store of a product, row by row
//
// shapes    y: [m, n]
// parallel  called by a gemm core, or gemm.reduce, for 4 columns; VECTOR: n is a multiple of 4
// numerics  exact

override VECTOR = false;

@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

fn store(row: u32, col: u32, value: vec4f) {
  let at = row * params.n + col;
  if (VECTOR) {
    y[at / 4u] = value;
  } else {
    for (var i = 0u; i < 4u; i++) { if (col + i < params.n) { y[(at + i) / 4u][(at + i) % 4u] = value[i]; } }
  }
}
