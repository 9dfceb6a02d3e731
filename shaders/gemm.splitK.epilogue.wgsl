// gemm.splitK.epilogue: writes the sums over one part of k
//
//   partial[part * m + row, col] = the part's sum; gemm.reduce adds the parts
//
// shapes    partial: [parts * m, n rounded up to a multiple of 4]
// parallel  called by a GEMM kernel for 4 columns
// numerics  exact

@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;

fn epilogue(row: u32, col: u32, value: vec4f) { partial[row * ((params.n + 3u) / 4u) + col / 4u] = value; }
