// gemm.partial: the store of a product whose depth is cut into slices
//
//   partial[slice * m + row, col] = sum of the slice's products; gemm.reduce adds the slices
//
// shapes    partial: [slices * m, n up to a multiple of 4]
// parallel  called by a gemm core for 4 columns
// numerics  as the core

@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;

fn store(row: u32, col: u32, value: vec4f) { partial[row * ((params.n + 3u) / 4u) + col / 4u] = value; }
