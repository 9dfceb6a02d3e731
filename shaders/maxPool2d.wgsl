// maxPool2d: the largest value of each window of an image, optionally followed by ReLU
//
//   forward   y[i,p,q] = max x[i, p stride - padding + r, q stride - padding + s]     over r, s on the image
//             index[i,p,q] = the place of that value: the first of equals, the last NaN. With relu: max(y, 0), and NONE if y is 0
//   backward  dx[i,h,w] = sum dy[i,p,q]     over the windows whose index is (h,w)
//
// shapes    x, dx: [images channels, h, w]; y, dy, index: [images channels, p, q]. For windows of 2 x 2, side by side, on even sizes,
//           pair reads vectors of two, and index is the place in the window, from 0 to 3. halve also needs a width that 8 divides:
//           there y and dy are vectors of four, whose four indices share one word
// parallel  LOOP outputs per invocation (pool2d.wgsl); halve: LOOP vectors of four outputs. backwardApart is for windows that do not
//           overlap: each output writes all pixels of dx up to the next window. backward is for windows that overlap: each invocation
//           takes LOOP pixels and looks for itself in every window that covers it, so no atomics
// numerics  NaN is found by its bits and wins. Storing the index costs half the time of finding it again in backward

// rest: an invocation's next output lies 64 mod q columns further, in halve 64 mod (w / 8) vectors.
struct Params { size: u32, h: u32, w: u32, p: u32, q: u32, kernelSize: u32, stride: u32, padding: u32, relu: u32, rest: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> index: array<u32>;
@group(0) @binding(4) var<storage, read> indices: array<u32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
@group(0) @binding(7) var<storage, read> x4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(9) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> dx4: array<vec4f>;
@group(0) @binding(11) var<storage, read> x2: array<vec2f>;
@group(0) @binding(12) var<storage, read_write> dx2: array<vec2f>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  for (var k = 0u; k < LOOP; k++) {
    let i = ((wid.y * groups.x + wid.x) * LOOP + k) * 64u + lid;
    if (i >= params.size) { return; }
    let plane = i / params.q / params.p * params.h * params.w;
    let pixels = pixelsOf(vec2u(i / params.q % params.p, i % params.q));
    // Starts with the first value of the window.
    var place = pixels.begin.x * params.w + pixels.begin.y;
    var best = x[plane + place];
    for (var h = pixels.begin.x; h < pixels.end.x; h++) {
      for (var w = pixels.begin.y; w < pixels.end.y; w++) {
        let v = x[plane + h * params.w + w];
        if (v > best || isNan(vec4f(v)).x) {
          best = v;
          place = h * params.w + w;
        }
      }
    }
    let off = params.relu == 1u && best <= 0.0;
    y[i] = select(best, 0.0, off);
    index[i] = select(place, NONE, off);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  for (var k = 0u; k < LOOP; k++) {
    let i = ((wid.y * groups.x + wid.x) * LOOP + k) * 64u + lid;
    if (i >= params.size) { return; }
    let area = params.h * params.w;
    let plane = i / area * params.p * params.q;
    let here = i % area;
    let windows = windowsOf(vec2u(here / params.w, here % params.w));
    var sum = 0.0;
    for (var p = windows.begin.x; p < windows.end.x; p++) {
      for (var q = windows.begin.y; q < windows.end.y; q++) {
        let window = plane + p * params.q + q;
        if (indices[window] == here) { sum += dy[window]; }
      }
    }
    dx[i] = sum;
  }
}

@compute @workgroup_size(64)
fn backwardApart(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  for (var k = 0u; k < LOOP; k++) {
    let i = ((wid.y * groups.x + wid.x) * LOOP + k) * 64u + lid;
    if (i >= params.size) { return; }
    let size = vec2u(params.h, params.w);
    let plane = i / params.q / params.p * params.h * params.w;
    let window = vec2u(i / params.q % params.p, i % params.q);
    let begin = pixelsOf(window).begin;
    let next = (window + 1u) * params.stride - params.padding;
    let end = select(next, size, window + 1u == vec2u(params.p, params.q));
    let place = indices[i];
    let g = dy[i];
    for (var h = begin.x; h < end.x; h++) {
      for (var w = begin.y; w < end.y; w++) {
        let here = h * params.w + w;
        dx[plane + here] = select(0.0, g, here == place);
      }
    }
  }
}

// A window takes a vector of two from a row, and one from the next row.
@compute @workgroup_size(64)
fn pair(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  var i = (wid.y * groups.x + wid.x) * LOOP * 64u + lid;
  var column = i % params.q;
  for (var k = 0u; k < LOOP; k++) {
    if (i >= params.size) { return; }
    let at = 2u * i - column;
    let largest = largestOf(vec4f(x2[at], x2[at + params.q]), params.relu == 1u);
    y[i] = largest.value;
    index[i] = largest.place;
    i += 64u;
    column += params.rest;
    if (column >= params.q) { column -= params.q; }
  }
}

@compute @workgroup_size(64)
fn pairBackward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  var i = (wid.y * groups.x + wid.x) * LOOP * 64u + lid;
  var column = i % params.q;
  for (var k = 0u; k < LOOP; k++) {
    if (i >= params.size) { return; }
    let at = 2u * i - column;
    let v = select(vec4f(), vec4f(dy[i]), vec4u(indices[i]) == vec4u(0u, 1u, 2u, 3u));
    dx2[at] = v.xy;
    dx2[at + params.q] = v.zw;
    i += 64u;
    column += params.rest;
    if (column >= params.q) { column -= params.q; }
  }
}

// Four windows side by side take two vectors of a row and two of the next row. at: the first of the four; row: vectors per row.
struct Four { at: u32, row: u32 }

fn fourOf(i: u32, column: u32) -> Four { return Four(4u * i - 2u * column, params.w / 4u); }

@compute @workgroup_size(64)
fn halve(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  var i = (wid.y * groups.x + wid.x) * LOOP * 64u + lid;
  var column = i % (params.w / 8u);
  for (var k = 0u; k < LOOP; k++) {
    if (i >= params.size) { return; }
    let four = fourOf(i, column);
    let a = x4[four.at];
    let b = x4[four.at + 1u];
    let c = x4[four.at + four.row];
    let d = x4[four.at + four.row + 1u];
    var best = Best(vec4f(a.xz, b.xz), vec4u());
    best = better(best, vec4f(a.yw, b.yw), vec4u(1u));
    best = better(best, vec4f(c.xz, d.xz), vec4u(2u));
    best = better(best, vec4f(c.yw, d.yw), vec4u(3u));
    let pooled = pooledOf(best, params.relu == 1u);
    y4[i] = pooled.value;
    index[i] = pooled.index;
    i += 64u;
    column += params.rest;
    if (column >= params.w / 8u) { column -= params.w / 8u; }
  }
}

@compute @workgroup_size(64)
fn halveBackward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  var i = (wid.y * groups.x + wid.x) * LOOP * 64u + lid;
  var column = i % (params.w / 8u);
  for (var k = 0u; k < LOOP; k++) {
    if (i >= params.size) { return; }
    let four = fourOf(i, column);
    let place = (vec4u(indices[i]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
    let g = dy4[i];
    let a = select(vec4f(), g, place == vec4u(0u));
    let b = select(vec4f(), g, place == vec4u(1u));
    let c = select(vec4f(), g, place == vec4u(2u));
    let d = select(vec4f(), g, place == vec4u(3u));
    dx4[four.at] = vec4f(a.x, b.x, a.y, b.y);
    dx4[four.at + 1u] = vec4f(a.z, b.z, a.w, b.w);
    dx4[four.at + four.row] = vec4f(c.x, d.x, c.y, d.y);
    dx4[four.at + four.row + 1u] = vec4f(c.z, d.z, c.w, d.w);
    i += 64u;
    column += params.rest;
    if (column >= params.w / 8u) { column -= params.w / 8u; }
  }
}
