// batchNorm: normalises each channel to mean 0 and deviation 1, then scales and shifts it
//
//   forward   y[i,c,l] = max(xhat[i,c,l] weight[c] + bias[c], 0)              max only with relu
//             xhat = (x - mean[c]) / sqrt(variance[c] + eps)                  over i and l in training, else the running ones
//             running = (1 - momentum) running + momentum (mean[c] or variance[c] m / (m - 1)),  m = n spatial; only in training
//   backward  g = dy if y > 0, else 0                                         without relu: g = dy
//             dbias[c] = sum g;  dweight[c] = sum g xhat
//             dx = weight / sqrt(variance + eps) (g - dbias / m - xhat dweight / m)        eval: dx = weight / sqrt(variance + eps) g
//
// shapes    x, y, dy, dx: [n, c, spatial]; weight, bias, running, dweight, dbias: [c]; partial: [slices, c];
//           stats: [c] of (centre, mean - centre, 1 / deviation, weight / deviation)
// parallel  a workgroup takes one channel, or 8 neighbouring channels if spatial is small; its invocations stride over the values,
//           and a tree adds their sums. If few channels have many values, a first dispatch reduces slices of images, and each
//           workgroup of the second adds up the slices
// numerics  two passes: the first finds a mean (the centre), summing differences from the first value; the second sums deviations
//           from the centre and their squares. The mean is kept as centre + remainder, so no rounding of either sum matters: a
//           channel far from zero keeps its digits, and a constant channel gives exactly 0

override ACROSS = 8u;
override IMAGES = 4u;
override PLACES = 2u;
// ACROSS IMAGES PLACES.
override WG = 64u;

// More than any size. Dawn adds a counter to each loop whose bound is no constant: half of the instructions of a loop over places.
const ENDLESS = 0x40000000u;

// A slice has `images` of the n images.
struct Params {
  n: u32, c: u32, spatial: u32, slices: u32, images: u32,
  training: u32, momentum: f32, eps: f32, relu: u32, wantsX: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> runningMean: array<f32>;
@group(0) @binding(5) var<storage, read_write> runningVar: array<f32>;
@group(0) @binding(6) var<storage, read_write> stats: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y: array<f32>;
@group(0) @binding(8) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(9) var<storage, read> partials: array<vec4f>;
@group(0) @binding(10) var<storage, read> saved: array<vec4f>;
@group(0) @binding(11) var<storage, read> yIn: array<f32>;
@group(0) @binding(12) var<storage, read> dy: array<f32>;
@group(0) @binding(13) var<storage, read_write> dx: array<f32>;
@group(0) @binding(14) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(15) var<storage, read_write> dbias: array<f32>;

// The values of an invocation: in one channel and slice, every PLACESth place of every IMAGESth image.
struct Share { channel: u32, lane: u32, image: u32, end: u32, place: u32, slice: u32 }

fn shareOf(wid: vec3u, lid: u32) -> Share {
  let channel = wid.x * ACROSS + lid % ACROSS;
  let lane = lid / ACROSS;
  let end = select(0u, min((wid.y + 1u) * params.images, params.n), channel < params.c);
  return Share(channel, lane, wid.y * params.images + lane / PLACES, end, lane % PLACES, wid.y);
}

fn row(image: u32, s: Share) -> u32 { return (image * params.c + s.channel) * params.spatial; }

var<workgroup> sums: array<vec2f, WG>;

// The sum over all invocations of the workgroup that share the channel.
fn together(value: vec2f, s: Share, lid: u32) -> vec2f {
  if (WG == ACROSS) { return value; }
  sums[lid] = value;
  workgroupBarrier();
  for (var half = IMAGES * PLACES / 2u; half > 0u; half /= 2u) {
    if (s.lane < half) { sums[lid] += sums[lid + half * ACROSS]; }
    workgroupBarrier();
  }
  let sum = sums[lid % ACROSS];
  workgroupBarrier();
  return sum;
}

// The moments of a slice: centre, mean - centre, sum of squared deviations from the mean, number of values.
fn moments(s: Share, lid: u32) -> vec4f {
  let count = f32(min(params.images, params.n - s.slice * params.images) * params.spatial);
  let first = x[row(s.slice * params.images, s)];
  var sum = 0.0;
  for (var i = s.image; i < s.end; i += IMAGES) {
    let start = row(i, s);
    for (var j = 0u; j < ENDLESS; j++) {
      let l = s.place + j * PLACES;
      if (l >= params.spatial) { break; }
      sum += x[start + l] - first;
    }
  }
  let centre = first + together(vec2f(sum, 0.0), s, lid).x / count;
  var deviation = vec2f();
  for (var i = s.image; i < s.end; i += IMAGES) {
    let start = row(i, s);
    for (var j = 0u; j < ENDLESS; j++) {
      let l = s.place + j * PLACES;
      if (l >= params.spatial) { break; }
      let d = x[start + l] - centre;
      deviation += vec2f(d, d * d);
    }
  }
  deviation = together(deviation, s, lid);
  let remainder = deviation.x / count;
  return vec4f(centre, remainder, deviation.y - deviation.x * remainder, count);
}

fn normalise(s: Share, moments: vec4f) {
  var m = moments;
  if (s.channel >= params.c) { return; }
  let c = s.channel;
  if (params.training == 0u) { m = vec4f(runningMean[c], 0.0, runningVar[c], 1.0); }
  // Rounding may give a constant channel of a batch a variance below 0.
  let squares = select(m.z, 0.0, params.training == 1u && m.z < 0.0);
  let variance = squares / m.w + params.eps;
  // A loaded running variance may be negative, and WGSL does not define the square root of a negative number.
  let undefined = variance < 0.0 || (bitcast<u32>(variance) & 0x7fffffffu) > 0x7f800000u;
  let none = bitcast<f32>(0x7fc00000u | (c & 1u));
  let perDeviation = select(1.0 / sqrt(variance), none, undefined);
  let scale = select(weight[c] * perDeviation, none, undefined);
  let shift = select(bias[c], none, undefined);
  if (s.lane == 0u && s.slice == 0u) {
    stats[c] = vec4f(m.xy, perDeviation, scale);
    if (params.training == 1u) {
      let keep = 1.0 - params.momentum;
      runningMean[c] = keep * runningMean[c] + params.momentum * (m.x + m.y);
      runningVar[c] = keep * runningVar[c] + params.momentum * (squares / (m.w - 1.0));
    }
  }
  for (var i = s.image; i < s.end; i += IMAGES) {
    let start = row(i, s);
    for (var j = 0u; j < ENDLESS; j++) {
      let l = s.place + j * PLACES;
      if (l >= params.spatial) { break; }
      let at = start + l;
      let v = (x[at] - m.x - m.y) * scale + shift;
      y[at] = select(v, 0.0, params.relu == 1u && v < 0.0);
    }
  }
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let s = shareOf(wid, lid);
  var m = vec4f();
  if (params.training == 1u) { m = moments(s, lid); }
  normalise(s, m);
}

@compute @workgroup_size(WG)
fn sliceMoments(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let s = shareOf(wid, lid);
  let m = moments(s, lid);
  if (s.lane == 0u && s.channel < params.c) { partial[s.slice * params.c + s.channel] = m; }
}

@compute @workgroup_size(WG)
fn forwardSlices(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let s = shareOf(wid, lid);
  // Joins the moments of two sets of values (Chan, Golub & LeVeque 1983), keeping the first set's centre.
  var m = partials[s.channel];
  for (var k = 1u; k < params.slices; k++) {
    let other = partials[k * params.c + s.channel];
    let delta = (other.x - m.x) + (other.y - m.y);
    let share = other.w / (m.w + other.w);
    m += vec4f(0.0, delta * share, other.z + delta * delta * m.w * share, other.w);
  }
  normalise(s, m);
}

fn xhat(at: u32, m: vec4f) -> f32 { return (x[at] - m.x - m.y) * m.z; }

fn rectified(at: u32) -> f32 { return select(dy[at], 0.0, params.relu == 1u && yIn[at] <= 0.0); }

// (dbias, dweight)
fn slopes(s: Share, lid: u32) -> vec2f {
  var sum = vec2f();
  if (s.channel < params.c) {
    let m = saved[s.channel];
    for (var i = s.image; i < s.end; i += IMAGES) {
      let start = row(i, s);
      for (var j = 0u; j < ENDLESS; j++) {
        let l = s.place + j * PLACES;
        if (l >= params.spatial) { break; }
        let at = start + l;
        let g = rectified(at);
        sum += vec2f(g, g * xhat(at, m));
      }
    }
  }
  return together(sum, s, lid);
}

fn gradients(s: Share, sum: vec2f) {
  if (s.channel >= params.c) { return; }
  if (s.lane == 0u && s.slice == 0u) {
    dbias[s.channel] = sum.x;
    dweight[s.channel] = sum.y;
  }
  if (params.wantsX == 0u) { return; }
  let m = saved[s.channel];
  let mean = sum / f32(params.n * params.spatial);
  for (var i = s.image; i < s.end; i += IMAGES) {
    let start = row(i, s);
    for (var j = 0u; j < ENDLESS; j++) {
      let l = s.place + j * PLACES;
      if (l >= params.spatial) { break; }
      let at = start + l;
      var g = rectified(at);
      if (params.training == 1u) { g -= mean.x + xhat(at, m) * mean.y; }
      dx[at] = m.w * g;
    }
  }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let s = shareOf(wid, lid);
  gradients(s, slopes(s, lid));
}

@compute @workgroup_size(WG)
fn sliceSlopes(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let s = shareOf(wid, lid);
  let sum = slopes(s, lid);
  if (s.lane == 0u && s.channel < params.c) { partial[s.slice * params.c + s.channel] = vec4f(sum, 0.0, 0.0); }
}

@compute @workgroup_size(WG)
fn backwardSlices(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let s = shareOf(wid, lid);
  var sum = vec2f();
  for (var k = 0u; k < params.slices; k++) { sum += partials[k * params.c + s.channel].xy; }
  gradients(s, sum);
}
