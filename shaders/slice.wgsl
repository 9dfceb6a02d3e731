// slice: copies a range along one dimension out of a tensor or into it, for slice and concat
//
//   of every row of `width` elements, those from `start` to start + length - 1 are the part
//   take  part[r,i]          = whole[r, start + i]                         forward of slice, backward of concat
//   put   whole[r,start + i] = part[r,i]                                   forward of concat
//   pad   whole[r,i]         = part[r, i - start] in the range, else 0     backward of slice
//
// shapes    part: [rows, length]; whole: [rows, width]; size: the number of elements that are written
// parallel  one invocation per element that is written
// numerics  exact: words of any element type are copied as i32

struct Params { start: u32, length: u32, width: u32, size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> whole: array<i32>;
@group(0) @binding(2) var<storage, read_write> partOut: array<i32>;
@group(0) @binding(3) var<storage, read> part: array<i32>;
@group(0) @binding(4) var<storage, read_write> wholeOut: array<i32>;

// The place in whole of element i of the part.
fn placeOf(i: u32) -> u32 { return i / params.length * params.width + params.start + i % params.length; }

@compute @workgroup_size(64)
fn take(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) { partOut[i] = whole[placeOf(i)]; }
}

@compute @workgroup_size(64)
fn put(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.size) { wholeOut[placeOf(i)] = part[i]; }
}

@compute @workgroup_size(64)
fn pad(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  let at = i % params.width;
  var v = 0;
  if (at >= params.start && at < params.start + params.length) { v = part[i / params.width * params.length + at - params.start]; }
  wholeOut[i] = v;
}
