// sliceRows: copies rows out of a tensor or into it, for sliceRows and concat
//
//   rows lie one after the other, so a range of rows is elements start..end-1 of the whole
//   take  part[i]          = whole[start + i]                         forward of sliceRows, backward of concat
//   put   whole[start + i] = part[i]                                  forward of concat
//   pad   whole[i]         = part[i - start] in the range, else 0     backward of sliceRows
//
// shapes    part: [end - start]; whole: [size]
// parallel  one invocation per element that is written
// numerics  exact: words of any element type are copied as i32

struct Params { start: u32, end: u32, size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> whole: array<i32>;
@group(0) @binding(2) var<storage, read_write> partOut: array<i32>;
@group(0) @binding(3) var<storage, read> part: array<i32>;
@group(0) @binding(4) var<storage, read_write> wholeOut: array<i32>;

@compute @workgroup_size(64)
fn take(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.end - params.start) { partOut[i] = whole[params.start + i]; }
}

@compute @workgroup_size(64)
fn put(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i < params.end - params.start) { wholeOut[params.start + i] = part[i]; }
}

@compute @workgroup_size(64)
fn pad(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  if (i >= params.size) { return; }
  var v = 0;
  if (i >= params.start && i < params.end) { v = part[i - params.start]; }
  wholeOut[i] = v;
}
