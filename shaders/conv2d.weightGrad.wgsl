// conv2d.weightGrad: the operands of dweight and dbias; gemm.weightGrad.epilogue writes them
//
//   [dweight | dbias][o, crs] = sum_npq dy[npq, o] [x | 1][npq, crs]         rows o, columns crs, k = npq
//
// shapes    x: [images, c, h, w], dy and dy4: [images, o, p, q]; [x | 1] has one more column than there are crs, of ones
// parallel  called by a GEMM kernel; PADDED: windows may reach beyond the image
// numerics  exact: numbers are passed on unchanged

override STRIDE_H: u32 = 1;
override STRIDE_W: u32 = 1;
override PADDED = false;
override WIDE = false; // q >= 3
override WHOLE_Q = false; // q is a multiple of 4
override ALIGNED = false; // p q is a multiple of 4
override WHOLE_K = false; // no tile reaches beyond k

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read> index: array<f32>;
@group(0) @binding(9) var<storage, read> dy4: array<vec4f>;

// Four taps of the kernel: their rows and columns in the image and their indices in x, for the window at the image's corner. The
// column after the last tap is of ones.
struct Taps { top: vec4i, left: vec4i, at: vec4i, isTap: vec4<bool>, one: vec4f }

fn rowsOf(row: u32, inTile: u32) -> u32 { return row * (dySize() / select(1u, 4u, ALIGNED)); }
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

// Image, row and column of step k.
fn pixelAt(k: u32) -> vec3u {
  let line = quotient(k, params.q, params.perQ);
  let image = quotient(line, params.p, params.perP);
  return vec3u(image, line - image * params.p, k - line * params.q);
}

// Beyond params.k, A is 0 and B is 0 or 1.
fn loadA(row: u32, start: u32, inTile: u32) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let size = dySize();
  if (POOLED) {
    // q is even, so two neighbours are of one window.
    var pair = pixelAt(k) / vec3u(1, 1, 2);
    for (var i = 0u; i < 2u; i++) {
      let at = pair.x * (params.o * size) + pair.y / 2u * (params.q / 2u) + pair.z + row + NEXT * size;
      let dys = select(vec4f(), vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]), isWithinK(k + 2u * i));
      let places = vec4f(index[at.x], index[at.y], index[at.z], index[at.w]);
      let left = f32((pair.y & 1u) * 2u);
      block[2u * i] = select(vec4f(), dys, places == vec4f(left));
      block[2u * i + 1u] = select(vec4f(), dys, places == vec4f(left + 1.0));
      if (WHOLE_Q) { pair.z += 1u; } else { pair = next(pair, params.p, params.q / 2u); }
    }
    return block;
  }
  let image = quotient(k, size, params.perPQ);
  if (ALIGNED) {
    let at = row + (k + image * ((params.o - 1u) * size)) / 4u + NEXT * (size / 4u);
    for (var j = 0u; j < 4u; j++) { block[j] = select(vec4f(), dy4[at[j]], isWithinK(k)); }
    return transpose(block);
  }
  let first = vec3u(image, 0, k - image * size);
  let pixels = vec4u(fourFrom(first, 1u, size, vec3i(i32(params.o * size), 0, 1), WIDE, false).at);
  for (var i = 0u; i < 4u; i++) {
    let at = row + pixels[i] + NEXT * size;
    let dys = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    block[i] = select(vec4f(), dys, isWithinK(k + i));
  }
  return block;
}

fn loadB(start: u32, inTile: u32, taps: Taps) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let stride = vec2i(vec2u(STRIDE_H, STRIDE_W));
  let width = i32(params.w);
  let steps = vec3i(i32(params.c * params.h) * width, stride.x * width, stride.y);
  let pixels = fourFrom(pixelAt(k), params.p, params.q, steps, WIDE, WHOLE_Q);
  for (var i = 0u; i < 4u; i++) {
    let at = taps.at + pixels.at[i];
    var isInside = taps.isTap & vec4(isWithinK(k + i));
    if (PADDED) {
      isInside &= vec4u(taps.top + pixels.row[i] * stride.x) < vec4u(params.h);
      isInside &= vec4u(taps.left + pixels.col[i] * stride.y) < vec4u(params.w);
    }
    block[i] = select(taps.one, vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), isInside);
  }
  return block;
}
