// conv2d.forward: the operands of a convolution's output
//
//   y[o, npq] = sum_crs weight[o, crs] x[crs, npq]         rows o, columns npq (with POOLED by windows of 2 x 2), k = crs
//
// shapes    x: [images, c, h, w], weight and weight4: [o, c, R, S]
// parallel  called by a GEMM kernel
// numerics  exact: numbers are passed on unchanged

override R: u32 = 1;
override S: u32 = 1;
override STRIDE_W: u32 = 1;
override PADDED = false; // windows may reach beyond the image
override ALIGNED = false; // crs is a multiple of 4: each row of weight can be loaded as vec4
override WHOLE_K = false; // no tile reaches beyond k

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(9) var<storage, read> weight4: array<vec4f>;

// Whether 32 bits tell which taps of a window lie in the image: all of a channel, three of the next channels, and a last bit that is 0.
fn isMasked() -> bool { return PADDED && R * S < 29u; }

// The corners of the windows of four output pixels: rows and columns in the image, and indices in x. If isMasked(), bit S r + s of
// `inside` tells whether the tap r,s lies in the image. The bits repeat, because four steps of k may begin in one channel and end in
// another. Bit 31 is 0: it is the one of steps beyond k.
struct Windows { top: vec4i, left: vec4i, at: vec4i, inside: vec4u }

fn rowsOf(row: u32, inTile: u32) -> u32 { return (row * params.k + select(0u, inTile, WHOLE_K)) / select(1u, 4u, ALIGNED); }
fn colsOf(col: u32, inTile: u32) -> Windows {
  var windows: Windows;
  var pixel = place(col, params.p, params.q);
  if (POOLED) { pixel = place(col / 4u, params.p / 2u, params.q / 2u) * vec3u(1, 2, 2); }
  let first = pixel;
  for (var i = 0u; i < 4u; i++) {
    windows.top[i] = i32(pixel.y * params.strideH) - i32(params.padH);
    windows.left[i] = i32(pixel.z * params.strideW) - i32(params.padW);
    windows.at[i] = (i32(pixel.x * params.c * params.h) + windows.top[i]) * i32(params.w) + windows.left[i];
    if (isMasked()) { windows.inside[i] = tapsInside(windows.top[i], windows.left[i]); }
    pixel = next(pixel, params.p, params.q);
    if (POOLED) { pixel = first + vec3u(0u, (i + 1u) / 2u, (i + 1u) % 2u); }
  }
  return windows;
}
fn tapsInside(top: i32, left: i32) -> u32 {
  var row = 0u;
  for (var s = 0u; s < S; s++) { row |= u32(u32(left + i32(s * params.dilationW)) < params.w) << s; }
  var bits = 0u;
  for (var r = 0u; r < R; r++) { bits |= select(0u, row << (S * r), u32(top + i32(r * params.dilationH)) < params.h); }
  bits |= bits << min(R * S, 31u);
  bits |= bits << min(2u * R * S, 31u);
  return bits & 0x7fffffffu;
}
fn tileK(firstCol: u32, columns: u32) -> u32 { return params.k; }
fn beginRound(k: u32) {}

// Beyond params.k, B is 0 and A repeats numbers of its own row, so that no NaN of another row counts. If one of a row's
// last weights is infinite, its outputs may be NaN instead of infinite: 0 times infinity is NaN.
fn loadA(row: u32, start: u32, inTile: u32) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  if (ALIGNED) {
    let at = row + select(min(k, params.k - 4u), start, WHOLE_K) / 4u + NEXT * (params.k / 4u);
    for (var j = 0u; j < 4u; j++) { block[j] = weight4[at[j]]; }
    return transpose(block);
  }
  for (var i = 0u; i < 4u; i++) {
    let at = min(row + k + i, row + params.k - 1u) + NEXT * params.k;
    block[i] = vec4f(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
  }
  return block;
}

fn loadB(start: u32, inTile: u32, windows: Windows) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let dilation = vec2i(vec2u(params.dilationH, params.dilationW));
  let width = i32(params.w);
  let tap = k % (R * S);
  let steps = vec3i(i32(params.h) * width, dilation.x * width, dilation.y);
  let taps = fourFrom(vec3u(k / (R * S), tap / S, tap % S), R, S, steps, S >= 3u);
  let isWithinK = WHOLE_K || k < params.k;
  // Now bits 0 to 3 belong to the four taps.
  var inside = windows.inside >> vec4(select(31u, tap, isWithinK));
  if (!ALIGNED) { inside &= vec4((1u << min(params.k - k, 4u)) - 1u); }
  for (var i = 0u; i < 4u; i++) {
    let at = inRuns(windows.at + (taps.at + taps.offset[i]), i32(STRIDE_W));
    let pixels = vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
    if (isMasked()) {
      let mask = extractBits(vec4i(inside), i, 1u); // 0 or, sign-extended, all ones
      block[i] = bitcast<vec4f>(bitcast<vec4i>(pixels) & mask);
    } else {
      var isInside = vec4(isWithinK && (ALIGNED || k + i < params.k));
      if (PADDED) {
        isInside &= vec4u(windows.top + taps.row[i] * dilation.x) < vec4u(params.h);
        isInside &= vec4u(windows.left + taps.col[i] * dilation.y) < vec4u(params.w);
      }
      block[i] = select(vec4f(), pixels, isInside);
    }
  }
  return block;
}
