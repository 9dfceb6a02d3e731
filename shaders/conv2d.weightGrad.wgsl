// conv2d.weightGrad: the operands of dweight and dbias; gemm.weightGrad.epilogue writes them
//
//   [dweight | dbias][o, crs] = sum_npq dy[npq, o] [x | 1][npq, crs]         rows o, columns crs, k = npq
//
// shapes    x: [images, c, h, w], dy: [images, o, p, q]; [x | 1] has one more column than there are crs, of ones
// parallel  called by a GEMM kernel; PADDED: windows may reach beyond the image
// numerics  exact: numbers are passed on unchanged

override PADDED = false;

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read> index: array<f32>;

// Four taps of the kernel: their rows and columns in the image and their indices in x, for the window at the image's corner.
struct Taps { top: vec4i, left: vec4i, at: vec4i, one: vec4<bool> }

fn rowsOf(row: u32) -> u32 { return row * dySize(); }
fn colsOf(col: u32) -> Taps {
  var taps: Taps;
  var tap = place(col, params.r, params.s);
  for (var i = 0u; i < 4u; i++) {
    taps.top[i] = i32(tap.y * params.dilationH) - i32(params.padH);
    taps.left[i] = i32(tap.z * params.dilationW) - i32(params.padW);
    taps.at[i] = (i32(tap.x * params.h) + taps.top[i]) * i32(params.w) + taps.left[i];
    taps.one[i] = col + i == params.n - 1u;
    tap = next(tap, params.r, params.s);
  }
  return taps;
}
fn tileK(firstCol: u32, columns: u32) -> u32 { return params.k; }

fn loadA(row: u32, k: u32) -> mat4x4f {
  var block: mat4x4f;
  let size = dySize();
  if (POOLED) {
    // q is even, so two neighbours are of one window.
    var pair = place(k / 2u, params.p, params.q / 2u);
    for (var i = 0u; i < 2u; i++) {
      let at = pair.x * params.o * size + pair.y / 2u * (params.q / 2u) + pair.z + row + NEXT * size;
      let dys = select(vec4f(), vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]), k + 2u * i < params.k);
      let places = vec4f(index[at.x], index[at.y], index[at.z], index[at.w]);
      let left = f32(pair.y % 2u * 2u);
      block[2u * i] = select(vec4f(), dys, places == vec4f(left));
      block[2u * i + 1u] = select(vec4f(), dys, places == vec4f(left + 1.0));
      pair = next(pair, params.p, params.q / 2u);
    }
    return block;
  }
  var image = k / size;
  var pixel = k % size;
  for (var i = 0u; i < 4u; i++) {
    let at = image * params.o * size + pixel + row + NEXT * size;
    let dys = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    block[i] = select(vec4f(), dys, k + i < params.k);
    image += u32(pixel + 1u == size);
    pixel = select(pixel + 1u, 0u, pixel + 1u == size);
  }
  return block;
}

fn loadB(k: u32, taps: Taps) -> mat4x4f {
  var block: mat4x4f;
  var pixel = place(k, params.p, params.q);
  for (var i = 0u; i < 4u; i++) {
    let down = i32(pixel.y * params.strideH);
    let right = i32(pixel.z * params.strideW);
    let at = taps.at + (i32(pixel.x * params.c * params.h) + down) * i32(params.w) + right;
    var pixels = vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
    if (PADDED) {
      let inside = (vec4u(taps.top + down) < vec4u(params.h)) & (vec4u(taps.left + right) < vec4u(params.w));
      pixels = select(vec4f(), pixels, inside);
    }
    block[i] = select(vec4f(), select(pixels, vec4f(1), taps.one), k + i < params.k);
    pixel = next(pixel, params.p, params.q);
  }
  return block;
}
