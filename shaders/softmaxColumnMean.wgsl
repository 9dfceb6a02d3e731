// softmaxColumnMean: the mean over rows of their softmax, with temperature
//
//   m[r] = max_c x[r,c],   s[r] = sum_c exp((x[r,c] - m[r]) / T)
//   y[c] = 1/rows sum_r exp((x[r,c] - m[r]) / T) / s[r]
//
// shapes    x: [rows, cols]; partials: [parts, cols] of sums in two parts; stats: [rows] of (m, 1 / s); y: [cols]
// parallel  small          for cols <= 32: one workgroup; an invocation takes whole rows and holds a row and its sums in registers, as
//                          vec4s; then each invocation adds up one column
//           the other entry points write partial column sums, at most 128 of each, and `mean` adds them in a fixed order:
//           lane           as small, in several workgroups, for many rows
//           rows, columns  one invocation per row, then one per four columns: for CPUs, where barriers are expensive
//           subgroups      for GPUs with subgroups: see softmaxColumnMean.subgroups
//           fused          for GPUs without subgroups, or for few columns: a workgroup takes a few rows at a time. LANES lanes per row
//                          find m and s (softmax.row.wgsl), then COLS lanes add up the columns. They find the rows in the cache, so
//                          x is read from memory only once
// numerics  an invocation adds up about 100 rows, or more if there are very many. Sums of those are kept in two parts, also from batch to
//           batch, and lose nothing. Their order is fixed. A row with NaN, or with a largest element that is not finite, makes the
//           result NaN

override COLS = 1u;
// fused: the columns that an invocation really holds, at most HELD.
override COUNT = 1u;
override ALIGNED = false;
// Columns that an invocation holds; also the invocations of a workgroup of small, lane, rows and columns.
const HELD = 32u;
// vec4s that hold HELD columns, wherever in the first vec4 they start.
const QUADS_HELD = 9u;
const CHUNK = 64u;
const LOWEST = -3.4028234e38;

// scale is 1 / T. mean divides the sums by rows. add: sums are kept from batch to batch, so `mean` sets them to 0.
struct Params { rows: u32, cols: u32, scale: f32, parts: u32, add: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The same buffer as vec4s.
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

// Adds to a sum in two parts. The first part is cut to 12 bits, and the second holds the rest, which a plain sum would lose. It is
// cut by bits: a compiler that reorders additions would remove Kahan's correction.
fn plus(sum: vec2f, v: f32) -> vec2f {
  let low = sum.y + v;
  let high = bitcast<f32>(bitcast<u32>(sum.x + low) & 0xfffff000u);
  return vec2f(high, (sum.x - high) + low);
}

fn put(part: u32, c: u32, sum: f32) {
  if (c >= params.cols) { return; }
  let i = part * params.cols + c;
  if (params.add == 0u) { partials[i] = vec2f(sum, 0.0); } else { partials[i] = plus(partials[i], sum); }
}

// NaN is found by its bits: worst is the largest bit pattern of all elements without their signs.
fn rowStats(m: f32, s: f32, worst: vec4u) -> vec2f {
  let undefined = any(worst > vec4u(0x7f800000u)) || abs(m) >= -LOWEST;
  return vec2f(m, select(1.0 / s, nan(worst.x), undefined));
}

// The sums of each lane of a workgroup, in the order of its vec4s.
var<workgroup> held: array<vec4f, HELD * QUADS_HELD>;

// A lane reads whole vec4s, because a software adapter pays per load and hardly per element. All rows of a lane start at the same
// place in their first vec4, because HELD is a multiple of four. So element k of vec4 q is always column 4 q + k - before and has
// its own sum. Returns to lane c the workgroup's sum of column c.
fn sumRows(group: u32, lid: u32) -> f32 {
  var e: array<vec4f, QUADS_HELD>;
  var sums: array<vec4f, QUADS_HELD>;
  let before = lid * COLS % 4u;
  // COLS is the number of columns: these loops are unrolled.
  let quads = (COLS + 7u - min(4u, COLS & (~COLS + 1u))) / 4u;
  for (var row = group * HELD + lid; row < params.rows; row += params.parts * HELD) {
    var most = vec4f(LOWEST);
    var worst = vec4u();
    // All loads come first: a software adapter compiles each to a branch, across which few values can stay in registers.
    for (var q = 0u; q < quads; q++) { e[q] = x4[row * COLS / 4u + q]; }
    for (var q = 0u; q < quads; q++) {
      if (q == 0u || 4u * q + 3u >= COLS) {
        // The columns before the first wrap around to large numbers.
        let columns = 4u * q + vec4u(0u, 1u, 2u, 3u) - before;
        e[q] = select(vec4f(LOWEST), e[q], columns < vec4u(COLS));
      }
      worst = max(worst, bitcast<vec4u>(e[q]) & vec4u(0x7fffffffu));
      most = max(most, e[q]);
    }
    let m = max(max(most.x, most.y), max(most.z, most.w));
    var s = vec4f();
    for (var q = 0u; q < quads; q++) {
      e[q] = exp((e[q] - m) * params.scale);
      s += e[q];
    }
    let p = rowStats(m, dot(s, vec4f(1.0)), worst).y;
    for (var q = 0u; q < quads; q++) { sums[q] += e[q] * p; }
  }
  for (var q = 0u; q < quads; q++) { held[lid * QUADS_HELD + q] = sums[q]; }
  workgroupBarrier();
  var sum = vec2f();
  for (var lane = 0u; lane < HELD; lane++) {
    let i = lid + lane * COLS % 4u;
    sum = plus(sum, held[lane * QUADS_HELD + i / 4u][i % 4u]);
  }
  return sum.x + sum.y;
}

@compute @workgroup_size(HELD)
fn lane(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  put(wid.x, lid, sumRows(wid.x, lid));
}

@compute @workgroup_size(HELD)
fn small(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let sum = sumRows(wid.x, lid);
  if (lid < COLS) { y[lid] = sum / f32(params.rows); }
}

// Four columns of a row. Columns beyond its end get the lowest number, so they add nothing.
fn load(row: u32, quad: u32) -> vec4f {
  if (ALIGNED) { return x4[row * (params.cols / 4u) + quad]; }
  let i = row * params.cols + 4u * quad;
  let c = 4u * quad + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(LOWEST), vec4f(x[i], x[i + 1u], x[i + 2u], x[i + 3u]), c < vec4u(params.cols));
}

@compute @workgroup_size(HELD)
fn rows(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * HELD + lid;
  if (row >= params.rows) { return; }
  var m = LOWEST;
  var s = 0.0;
  var worst = vec4u();
  for (var quad = 0u; 4u * quad < params.cols; quad++) {
    let v = load(row, quad);
    worst = max(worst, bitcast<vec4u>(v) & vec4u(0x7fffffffu));
    let next = max(m, max(max(v.x, v.y), max(v.z, v.w)));
    s = s * exp((m - next) * params.scale) + dot(exp((v - next) * params.scale), vec4f(1.0));
    m = next;
  }
  stats[row] = rowStats(m, s, worst);
}

@compute @workgroup_size(HELD)
fn columns(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  if (4u * quad >= params.cols) { return; }
  var sum = vec4f();
  for (var first = id.y * CHUNK; first < params.rows; first += params.parts * CHUNK) {
    var few = vec4f();
    for (var row = first; row < min(first + CHUNK, params.rows); row++) {
      let s = stats[row];
      few += exp((load(row, quad) - s.x) * params.scale) * s.y;
    }
    sum += few;
  }
  for (var k = 0u; k < 4u; k++) { put(id.y, 4u * quad + k, sum[k]); }
}

fn logit(i: u32) -> f32 { return x[i]; }

var<workgroup> ofRows: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn fused(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let rowsAtOnce = WG / LANES;
  let slices = WG / COLS;
  var sums: array<f32, HELD>;
  for (var first = wid.x * rowsAtOnce; first < params.rows; first += params.parts * rowsAtOnce) {
    let count = min(rowsAtOnce, params.rows - first);
    let start = (first + lid / LANES) * params.cols;
    let stats = maxAndSum(lid, start, start + select(0u, params.cols, lid / LANES < count), 1u, params.scale);
    if (lid % LANES == 0u) { ofRows[lid / LANES] = vec2f(stats.x, 1.0 / stats.y); }
    workgroupBarrier();
    for (var k = 0u; k < HELD; k++) {
      let c = lid % COLS + k * COLS;
      if (k >= COUNT || c >= params.cols) { break; }
      for (var r = lid / COLS; r < count; r += slices) {
        sums[k] += exp((x[(first + r) * params.cols + c] - ofRows[r].x) * params.scale) * ofRows[r].y;
      }
    }
    // All invocations must have read ofRows before the next rows overwrite it.
    workgroupBarrier();
  }
  // If several lanes share a column, it is their only one.
  laneParts[lid] = sums[0];
  workgroupBarrier();
  for (var slice = 1u; slice < slices; slice++) { sums[0] += laneParts[(slice * COLS + lid) % WG]; }
  for (var k = 0u; k < HELD; k++) {
    if (k < COUNT && lid < COLS) { put(wid.x, lid + k * COLS, sums[k]); }
  }
}

@compute @workgroup_size(WG)
fn mean(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let c = (wid.y * groups.x + wid.x) * (WG / LANES) + lid / LANES;
  var parts = vec2f();
  for (var part = lid % LANES; part < select(0u, params.parts, c < params.cols); part += LANES) {
    let i = part * params.cols + c;
    parts = plus(plus(parts, partials[i].x), partials[i].y);
    if (params.add == 1u) { partials[i] = vec2f(); }
  }
  var sum = rowSum(lid, parts.x + parts.y);
  // The mean of no rows.
  if (params.rows == 0u) { sum = nan(c); }
  if (c < params.cols && lid % LANES == 0u) { y[c] = sum / f32(params.rows); }
}
