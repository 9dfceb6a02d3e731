// conv2d.weightGrad: the operands of dweight and dbias; gemm.weightGrad.epilogue writes them
//
//   [dweight | dbias][o, crs] = sum_npq dy[npq, o] [x | 1][npq, crs]         rows o, columns crs, k = npq
//
// shapes    x: [images, c, h, w], dy and dy4: [images, o, p, q]; [x | 1] has crs + 1 columns, of which the last is all ones
// parallel  called by a GEMM kernel. Steps 4 i to 4 i + 3 of k are four pixels of dy: with RUN = 4 neighbours in a row, with RUN = 2 a
//           block of 2 x 2 (with POOLED, a window), with RUN = 1 neighbours that may lie in two rows
// numerics  exact: numbers are passed on unchanged

override STRIDE_H: u32 = 1;
override STRIDE_W: u32 = 1;
override REACH_H: u32 = 0; // how many output rows and columns at each side can meet the padding: padding / stride, rounded up
override REACH_W: u32 = 0;
override WIDE = false; // q >= 3
override WHOLE_K = false; // no tile reaches beyond k

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read> index: array<Place>;
@group(0) @binding(9) var<storage, read> dy4: array<vec4f>;

// The bits of index that tell the place in a window, and one that only NOWHERE (see conv2d.pool.epilogue) has.
const PLACE = 0x18001u;

// Four taps of the kernel, for the window at the image's corner: rows and columns in the image, and indices in x. `one` is 1 for the
// column after the last tap, and else 0.
struct Taps { top: vec4i, left: vec4i, at: vec4i, isTap: vec4<bool>, one: vec4f }

fn rowsOf(row: u32, inTile: u32) -> u32 { return row * params.p * params.q / select(1u, 4u, POOLED || RUN == 4u); }
fn colsOf(col: u32, inTile: u32) -> Taps {
  var taps: Taps;
  var tap = place(col, params.r, params.s);
  for (var i = 0u; i < 4u; i++) {
    taps.top[i] = i32(tap.y * params.dilationH) - i32(params.padH);
    taps.left[i] = i32(tap.z * params.dilationW) - i32(params.padW);
    taps.at[i] = (i32(tap.x * params.h) + taps.top[i]) * i32(params.w) + taps.left[i];
    taps.isTap[i] = col + i + 1u < params.n;
    taps.one[i] = f32(col + i + 1u == params.n);
    tap = next(tap, params.r, params.s);
  }
  return taps;
}
fn tileK(firstCol: u32, columns: u32) -> u32 { return params.k; }
fn beginRound(k: u32) {}

fn isWithinK(k: u32) -> bool { return WHOLE_K || k < params.k; }

// The rows of a block of four pixels.
fn blockRows() -> u32 { return select(1u, 2u, RUN == 2u); }

// The pixels of steps k to k + 3, in an array [., p, q] with the distances `steps`, as in fourFrom. If RUN > 1, offset counts only rows of
// a block. perP and perQ are inverses of the numbers of blocks.
fn pixelsAt(k: u32, steps: vec3i) -> Four {
  let block = vec2u(blockRows(), RUN);
  let size = vec2u(params.p, params.q) / block;
  let i = k / (block.x * block.y);
  let line = quotient(i, size.y, params.perQ);
  let image = quotient(line, size.x, params.perP);
  let first = vec3u(image, vec2u(line - image * size.x, i - line * size.y) * block);
  var four = fourFrom(first, params.p, params.q, steps, WIDE);
  if (RUN > 1u) { four.offset = vec4i(NEXT / RUN) * steps.y; }
  return four;
}

// Beyond params.k, A is 0 and B is 0 or 1.
fn loadA(row: u32, start: u32, inTile: u32) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let size = params.p * params.q;
  let fours = size / 4u;
  let at4 = row + k / 4u + quotient(k / 4u, fours, params.perFour) * ((params.o - 1u) * fours) + NEXT * fours;
  if (POOLED) {
    let dys = select(vec4f(), vec4f(dy[at4.x], dy[at4.y], dy[at4.z], dy[at4.w]), isWithinK(k));
    let places = vec4u(index[at4.x], index[at4.y], index[at4.z], index[at4.w]) & vec4u(PLACE);
    for (var i = 0u; i < 4u; i++) { block[i] = select(vec4f(), dys, places == vec4u(0x10000u * (i / 2u) + i % 2u)); }
    return block;
  }
  if (RUN == 4u) {
    for (var j = 0u; j < 4u; j++) { block[j] = select(vec4f(), dy4[at4[j]], isWithinK(k)); }
    return transpose(block);
  }
  let pixels = pixelsAt(k, vec3i(vec3u(params.o * size, params.q, 1)));
  for (var i = 0u; i < 4u; i++) {
    let at = row + u32(pixels.at) + NEXT * size + u32(pixels.offset[i]) + i % RUN;
    let dys = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    block[i] = select(vec4f(), dys, isWithinK(k + i));
  }
  return block;
}

fn loadB(start: u32, inTile: u32, taps: Taps) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let width = i32(params.w);
  let steps = vec3i(i32(params.c * params.h) * width, i32(STRIDE_H) * width, i32(STRIDE_W));
  let pixels = pixelsAt(k, steps);
  let first = taps.at + pixels.at;
  let rows = blockRows();
  for (var i = 0u; i < 4u; i++) {
    let at = first + pixels.offset[i] + i32(i % RUN) * steps.z;
    let counted = select(i, 0u, RUN > 1u); // the first pixel of a block; isInside adds the others' distances
    let top = taps.top + pixels.row[counted] * i32(STRIDE_H);
    let left = taps.left + pixels.col[counted] * i32(STRIDE_W);
    var counts = taps.isTap & vec4(isWithinK(k + i));
    counts &= isInside(top, i / RUN % rows, rows, STRIDE_H, params.h, REACH_H);
    counts &= isInside(left, i % RUN, RUN, STRIDE_W, params.w, REACH_W);
    block[i] = select(taps.one, vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), counts);
  }
  return block;
}
