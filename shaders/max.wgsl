// max: the largest element along one dimension, or of all, and its index
//
//   forward   at[o,j,i] = argmax_k x[o,k,i],   k from j chunk up to (j + 1) chunk - 1, below n; the first of equals
//             y[o,j,i]  = x[o,at[o,j,i],i]
//   backward  dx[o,k,i] = dy[o,i] if k = at[o,i], else 0                                          along a dimension
//             dx[k]     = dy / #{ j : x[j] = y } if x[k] = y, else 0                              of all (isLargest, share)
//
// shapes    x, dx: [outer, n, inner]; y, at: [outer, chunks, inner]; dy, atIn: [outer, inner]
// parallel  LANES lanes per maximum (rows.wgsl). Long dimensions are split into chunks; further dispatches (further) compare the
//           maxima of the chunks: there x and atOfX are what the dispatch before wrote
// numerics  exact; NaN is larger than any number, and the first NaN is found

struct Params { n: u32, inner: u32, chunk: u32, chunks: u32, size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> atOfX: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> at: array<u32>;
@group(0) @binding(5) var<storage, read> yIn: array<f32>;
@group(0) @binding(6) var<storage, read> atIn: array<u32>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;
@group(0) @binding(9) var<storage, read> count: array<f32>;

var<workgroup> places: array<u32, WG>;

// True if v at index i is to be found rather than w at index j.
fn beats(v: f32, i: u32, w: f32, j: u32) -> bool {
  if (isNan(w)) { return isNan(v) && i < j; }
  return isNan(v) || v > w || (v == w && i < j);
}

struct Found { own: u32, best: f32, place: u32, index: u32, isMine: bool }

fn find(group: u32, lid: u32) -> Found {
  let own = group * (WG / LANES) + lid / LANES;
  let first = (own / params.inner) % params.chunks * params.chunk;
  let start = own / (params.inner * params.chunks) * params.n * params.inner + own % params.inner;
  let end = select(first, min(first + params.chunk, params.n), own < params.size);
  var place = first;
  var best = x[start + first * params.inner];
  for (var k = first + lid % LANES; k < end; k += LANES) {
    let v = x[start + k * params.inner];
    if (beats(v, k, best, place)) {
      best = v;
      place = k;
    }
  }
  if (LANES > 1u) {
    laneParts[lid] = best;
    places[lid] = place;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      if (lid % LANES < half && beats(laneParts[lid + half], places[lid + half], laneParts[lid], places[lid])) {
        laneParts[lid] = laneParts[lid + half];
        places[lid] = places[lid + half];
      }
      workgroupBarrier();
    }
    best = laneParts[lid];
    place = places[lid];
  }
  return Found(own, best, place, start + place * params.inner, own < params.size && lid % LANES == 0u);
}

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let found = find(wid.y * groups.x + wid.x, lid);
  if (!found.isMine) { return; }
  y[found.own] = found.best;
  at[found.own] = found.place;
}

@compute @workgroup_size(WG)
fn further(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let found = find(wid.y * groups.x + wid.x, lid);
  if (!found.isMine) { return; }
  y[found.own] = found.best;
  at[found.own] = atOfX[found.index];
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let e = (wid.y * groups.x + wid.x) * WG + lid;
  if (e >= params.size) { return; }
  let i = e / (params.n * params.inner) * params.inner + e % params.inner;
  dx[e] = select(0.0, dy[i], e / params.inner % params.n == atIn[i]);
}

@compute @workgroup_size(WG)
fn isLargest(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let e = (wid.y * groups.x + wid.x) * WG + lid;
  if (e < params.size) { dx[e] = f32(select(x[e] == yIn[0], isNan(x[e]), isNan(yIn[0]))); }
}

@compute @workgroup_size(WG)
fn share(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let e = (wid.y * groups.x + wid.x) * WG + lid;
  if (e < params.size) { dx[e] = select(0.0, dy[0] / count[0], dx[e] > 0.0); }
}
