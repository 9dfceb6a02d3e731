// conv2d.forward: the operands of a convolution's output
//
//   y[o, npq] = sum_crs weight[o, crs] x[crs, npq]         rows o, columns npq (with POOLED by windows of 2 x 2), k = crs
//
// shapes    x: [images, c, h, w], weight: [o, c, r, s]
// parallel  called by a GEMM kernel; PADDED: windows may reach beyond the image
// numerics  exact: numbers are passed on unchanged

override PADDED = false;

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;

// The corners of the windows of four output pixels: rows and columns in the image, and indices in x.
struct Windows { top: vec4i, left: vec4i, at: vec4i }

fn rowsOf(row: u32) -> u32 { return row * params.k; }
fn colsOf(col: u32) -> Windows {
  var windows: Windows;
  var pixel = place(col, params.p, params.q);
  if (POOLED) { pixel = place(col / 4u, params.p / 2u, params.q / 2u) * vec3u(1, 2, 2); }
  let first = pixel;
  for (var i = 0u; i < 4u; i++) {
    windows.top[i] = i32(pixel.y * params.strideH) - i32(params.padH);
    windows.left[i] = i32(pixel.z * params.strideW) - i32(params.padW);
    windows.at[i] = (i32(pixel.x * params.c * params.h) + windows.top[i]) * i32(params.w) + windows.left[i];
    pixel = next(pixel, params.p, params.q);
    if (POOLED) { pixel = first + vec3u(0u, (i + 1u) / 2u, (i + 1u) % 2u); }
  }
  return windows;
}
fn tileK(firstCol: u32, columns: u32) -> u32 { return params.k; }

fn loadA(row: u32, k: u32) -> mat4x4f {
  var block: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    let at = row + k + i + NEXT * params.k;
    let taps = vec4f(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
    block[i] = select(vec4f(), taps, k + i < params.k);
  }
  return block;
}

fn loadB(k: u32, windows: Windows) -> mat4x4f {
  var block: mat4x4f;
  var tap = place(k, params.r, params.s);
  for (var i = 0u; i < 4u; i++) {
    let down = i32(tap.y * params.dilationH);
    let right = i32(tap.z * params.dilationW);
    let at = windows.at + (i32(tap.x * params.h) + down) * i32(params.w) + right;
    let pixels = vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
    var inside = vec4(k + i < params.k);
    if (PADDED) {
      inside &= vec4u(windows.top + down) < vec4u(params.h);
      inside &= vec4u(windows.left + right) < vec4u(params.w);
    }
    block[i] = select(vec4f(), pixels, inside);
    tap = next(tap, params.r, params.s);
  }
  return block;
}
