// conv2d.inputGrad: the operands of the gradient of a convolution's input
//
//   dx[c, hnw] = sum_ijo weight[o,c,r,s] dy[n,o,p,q]         rows c, columns hnw, k = ijo
//   r = first + i step,  p = (h + padH - r dilationH) / strideH;  s and q likewise, with j
//
// Which rows of the kernel meet row h of the image depends on h mod strideH. Pixels with the same h mod strideH and w mod strideW
// are a phase and use the same taps r,s. The columns are sorted by phase, so a tile's k has only the taps that its pixels use.
//
// shapes    weight: [o, c, r, s], dy: [images, o, p, q]; per tap i,j, k has o steps, rounded up to a multiple of 4. A phase has
//           n / (STRIDE_H STRIDE_W) columns, and no tile has columns of two phases: the last columns of a phase may be no pixels
// parallel  called by a GEMM kernel. Neighbouring columns are neighbours in a row of the image, then the same row of the next
//           image. So loads are of neighbours, and a tile of few rows also skips the taps that lie above or below dy for all of them
// numerics  exact: numbers are passed on unchanged

override STRIDE_H: u32 = 1;
override STRIDE_W: u32 = 1;

@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read> index: array<f32>;

fn pair(h: u32, w: u32) -> vec2i { return vec2i(vec2u(h, w)); }
fn stride() -> vec2u { return vec2u(STRIDE_H, STRIDE_W); }
fn phaseWidth() -> u32 { return (params.w + STRIDE_W - 1u) / STRIDE_W; }

// A column: its phase; row within the phase, image, column within the phase.
struct Column { phase: vec2u, at: vec3u }

fn columnAt(col: u32) -> Column {
  if (STRIDE_H * STRIDE_W == 1u) { return Column(vec2u(), place(col, params.images, params.w)); }
  let perPhase = params.n / (STRIDE_H * STRIDE_W);
  let phase = col / perPhase;
  return Column(vec2u(phase / STRIDE_W, phase % STRIDE_W), place(col % perPhase, params.images, phaseWidth()));
}
fn columnAfter(column: Column) -> Column { return Column(column.phase, next(column.at, params.images, phaseWidth())); }
// Row and column of a column's pixel.
fn pixelOf(column: Column) -> vec2u { return column.phase + stride() * column.at.xz; }

// The taps of a tile: `count` rows and columns of the kernel, from `first` on by `step`. Per tap, p and q fall by `back`.
struct Taps { first: vec2u, step: vec2u, back: vec2u, count: vec2u, k: u32 }
var<private> taps: Taps;

// p and q of the tap `first`. For taps of the pixel's phase the quotient is exact.
fn windowOf(pixel: vec2u, first: vec2i) -> vec2i {
  return (vec2i(pixel) + pair(params.padH, params.padW) - first * pair(params.dilationH, params.dilationW)) / vec2i(stride());
}

fn perTap() -> u32 { return (params.o + 3u) / 4u * 4u; }

fn tileK(firstCol: u32, columns: u32) -> u32 {
  let begin = columnAt(firstCol);
  let end = columnAt(min(firstCol + columns, params.n) - 1u);
  let steps = vec2i(stride());
  let kernel = pair(params.r, params.s);
  let dilation = pair(params.dilationH, params.dilationW);
  let corner = vec2i(begin.phase) + pair(params.padH, params.padW);
  var first = kernel;
  var step = steps;
  for (var t = max(steps.x, steps.y) - 1; t >= 0; t--) {
    first = select(first, vec2i(t), (corner - t * dilation) % steps == vec2i());
    step = select(step, vec2i(t + 1), (t + 1) * dilation % steps == vec2i());
  }
  let back = step * dilation / steps;
  var count = (kernel - first + step - 1) / step;
  // For some row of the tile, 0 <= p < params.p.
  let low = windowOf(pixelOf(begin), first).x - i32(params.p) + 1;
  let high = windowOf(pixelOf(end), first).x;
  let skipped = (max(low, 0) + back.x - 1) / back.x;
  count.x = min(count.x, select(high / back.x + 1, 0, high < 0)) - skipped;
  first.x += skipped * step.x;
  count = max(count, vec2i());
  let k = u32(count.x * count.y) * perTap();
  taps = Taps(vec2u(first), vec2u(step), vec2u(back), vec2u(count), k);
  return k;
}

fn rowsOf(row: u32) -> u32 { return row * params.r * params.s; }

struct Windows { p: vec4i, q: vec4i, image: vec4u }

fn colsOf(col: u32) -> Windows {
  var windows: Windows;
  var column = columnAt(col);
  for (var i = 0u; i < 4u; i++) {
    let window = windowOf(pixelOf(column), vec2i(taps.first));
    windows.p[i] = window.x;
    windows.q[i] = window.y;
    windows.image[i] = column.at.y * params.o * dySize();
    column = columnAfter(column);
  }
  return windows;
}

fn loadA(row: u32, k: u32) -> mat4x4f {
  var block: mat4x4f;
  let tap = k / perTap();
  let o = k % perTap();
  let r = taps.first.x + tap / taps.count.y * taps.step.x;
  let s = taps.first.y + tap % taps.count.y * taps.step.y;
  let size = params.r * params.s;
  for (var i = 0u; i < 4u; i++) {
    let at = (o + i) * params.c * size + row + r * params.s + s + NEXT * size;
    let weights = vec4f(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
    block[i] = select(vec4f(), weights, o + i < params.o && k < taps.k);
  }
  return block;
}

fn loadB(k: u32, windows: Windows) -> mat4x4f {
  var block: mat4x4f;
  let tap = k / perTap();
  let o = k % perTap();
  let p = vec4u(windows.p - i32(tap / taps.count.y * taps.back.x));
  let q = vec4u(windows.q - i32(tap % taps.count.y * taps.back.y));
  let size = dySize();
  var first = windows.image + p * params.q + q;
  if (POOLED) { first = windows.image + p / 2u * (params.q / 2u) + q / 2u; }
  let place = vec4f(p % 2u * 2u + q % 2u);
  let inside = (p < vec4u(params.p)) & (q < vec4u(params.q));
  for (var i = 0u; i < 4u; i++) {
    let at = first + (o + i) * size;
    let dys = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    var counts = inside & vec4(o + i < params.o && k < taps.k);
    if (POOLED) { counts &= vec4f(index[at.x], index[at.y], index[at.z], index[at.w]) == place; }
    block[i] = select(vec4f(), dys, counts);
  }
  return block;
}
