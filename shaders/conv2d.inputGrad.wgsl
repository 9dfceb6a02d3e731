// conv2d.inputGrad: the operands of the gradient of a convolution's input
//
//   dx[c, hnw] = sum_ijo weight[o,c,r,s] dy[n,o,p,q]         rows c, columns hnw, k = ijo
//   r = first + i step,  p = (h + padH - r dilationH) / strideH;  s and q likewise, with j
//
// Row h of the image meets only the rows r of the kernel for which p is a whole number. They depend on h mod strideH. Pixels with the
// same h mod strideH and w mod strideW form a phase and use the same taps r,s. The columns are sorted by phase, so the k of a tile has
// only the taps that its pixels use.
//
// shapes    weight: [o, c, R, S], dy: [images, o, p, q]; k has o steps per tap i,j, rounded up to a multiple of 4. A phase has
//           n / (STRIDE_H STRIDE_W) columns. No tile has columns of two phases, so the last columns of a phase may be no pixels
// parallel  called by a GEMM kernel. Columns follow a row of the image, then the same row of the next image. So neighbours load
//           neighbours, and a tile of few rows also skips the taps that lie above or below dy for all of its pixels
// numerics  exact: numbers are passed on unchanged

override WHOLE_O = false; // o is a multiple of 4
override ONE_TAP = false; // o is a multiple of 32: all steps of a round have the same tap
override R: u32 = 1;
override S: u32 = 1;
override STRIDE_H: u32 = 1;
override STRIDE_W: u32 = 1;

@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read> index: array<Place>;

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

// The taps of a tile: `count` rows and columns of the kernel, from `first` on in distances of `step`. From tap to tap p and q fall by
// `back`. `perRow` is the inverse of count.y for quotient.
struct Taps { first: vec2u, step: vec2u, back: vec2u, count: vec2u, perRow: f32, k: u32 }
var<private> taps: Taps;

// p and q at the tap `first`. For taps of the pixel's phase the division has no remainder.
fn windowOf(pixel: vec2u, first: vec2i) -> vec2i {
  return (vec2i(pixel) + pair(params.padH, params.padW) - first * pair(params.dilationH, params.dilationW)) / vec2i(stride());
}

fn perTap() -> u32 { return (params.o + 3u) / 4u * 4u; }

fn tileK(firstCol: u32, columns: u32) -> u32 {
  let begin = columnAt(firstCol);
  let end = columnAt(min(firstCol + columns, params.n) - 1u);
  let steps = vec2i(stride());
  let kernel = pair(R, S);
  let dilation = pair(params.dilationH, params.dilationW);
  let corner = vec2i(begin.phase) + pair(params.padH, params.padW);
  // The first tap of this phase, and the distance to the next one.
  var first = kernel;
  var step = steps;
  for (var t = max(steps.x, steps.y) - 1; t >= 0; t--) {
    first = select(first, vec2i(t), (corner - t * dilation) % steps == vec2i());
    step = select(step, vec2i(t + 1), (t + 1) * dilation % steps == vec2i());
  }
  let back = step * dilation / steps;
  var count = (kernel - first + step - 1) / step;
  // Keeps the taps for which some row of the tile has 0 <= p < params.p.
  let low = windowOf(pixelOf(begin), first).x - i32(params.p) + 1;
  let high = windowOf(pixelOf(end), first).x;
  let skipped = (max(low, 0) + back.x - 1) / back.x;
  count.x = min(count.x, select(high / back.x + 1, 0, high < 0)) - skipped;
  first.x += skipped * step.x;
  count = max(count, vec2i());
  let k = u32(count.x * count.y) * perTap();
  taps = Taps(vec2u(first), vec2u(step), vec2u(back), vec2u(count), 1.000001 / f32(count.y), k);
  return k;
}

// With ONE_TAP, all invocations have the same tap in a round. Then inTile counts only output channels and is added before the loop.
fn rowsOf(row: u32, inTile: u32) -> u32 { return (row + select(0u, inTile * params.c, ONE_TAP)) * R * S; }

// The windows of four pixels at the tap `first`: rows and columns in dy, and indices.
struct Windows { p: vec4i, q: vec4i, at: vec4i }

fn colsOf(col: u32, inTile: u32) -> Windows {
  var windows: Windows;
  var column = columnAt(col);
  for (var i = 0u; i < 4u; i++) {
    let window = windowOf(pixelOf(column), vec2i(taps.first));
    windows.p[i] = window.x;
    windows.q[i] = window.y;
    windows.at[i] = i32((column.at.y * params.o + select(0u, inTile, ONE_TAP)) * dySize());
    if (!POOLED) { windows.at[i] += window.x * i32(params.q) + window.y; }
    column = columnAfter(column);
  }
  return windows;
}

// A tap: its row and column among those of the tile, and its first step of k.
struct Tap { place: vec2u, k: u32 }
var<private> roundTap: Tap;

fn tapOf(k: u32) -> Tap {
  let tap = quotient(k, perTap(), params.perO);
  let row = quotient(tap, taps.count.y, taps.perRow);
  return Tap(vec2u(row, tap - row * taps.count.y), tap * perTap());
}
fn tapAt(k: u32) -> Tap {
  if (ONE_TAP) { return roundTap; }
  return tapOf(k);
}
fn beginRound(k: u32) { if (ONE_TAP) { roundTap = tapOf(k); } }

// Beyond taps.k, B is 0 and A repeats numbers of its own row, so that no NaN of another row counts.
fn loadA(row: u32, start: u32, inTile: u32) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let size = R * S;
  let tap = tapAt(k);
  let rs = taps.first + min(tap.place, taps.count - 1u) * taps.step;
  let o = select(k, start, ONE_TAP) - tap.k;
  let at = row + o * params.c * size + (rs.x * S + rs.y);
  for (var i = 0u; i < 4u; i++) {
    let at4 = at + (i * params.c * size + NEXT * size);
    let weights = vec4f(weight[at4.x], weight[at4.y], weight[at4.z], weight[at4.w]);
    block[i] = select(vec4f(), weights, WHOLE_O || o + i < params.o);
  }
  return block;
}

fn loadB(start: u32, inTile: u32, windows: Windows) -> mat4x4f {
  let k = start + inTile;
  var block: mat4x4f;
  let size = i32(dySize());
  let tap = tapAt(k);
  let back = vec2i(tap.place * taps.back);
  let p = inRuns(windows.p - back.x, 0);
  let q = inRuns(windows.q - back.y, 1);
  var counts = vec4(ONE_TAP || k < taps.k);
  let o = select(k, start, ONE_TAP) - tap.k;
  var first = windows.at;
  var at = i32(o) * size;
  if (POOLED) {
    first = inRuns(first, 0) + (p >> vec4u(1)) * i32(params.q / 2u) + (q >> vec4u(1));
  } else {
    counts &= (vec4u(p) < vec4u(params.p)) & (vec4u(q) < vec4u(params.q));
    at -= back.x * i32(params.q) + back.y;
  }
  for (var i = 0u; i < 4u; i++) {
    var at4 = first + (at + i32(i) * size);
    if (!POOLED) { at4 = inRuns(at4, 1); } else if (RUN == 4u) { at4 = at4.xyxy + vec4i(0, 0, 1, 1); }
    let dys = vec4f(dy[at4.x], dy[at4.y], dy[at4.z], dy[at4.w]);
    var isUsed = counts & vec4(WHOLE_O || o + i < params.o);
    // Windows outside y need no check: index has no such place.
    if (POOLED) { isUsed &= vec4u(index[at4.x], index[at4.y], index[at4.z], index[at4.w]) == vec4u((p << vec4u(16)) + q); }
    block[i] = select(vec4f(), dys, isUsed);
  }
  return block;
}
