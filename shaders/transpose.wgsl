// transpose: exchanges two dimensions
//
//   forward   y[o,q,m,p,i] = x[o,p,m,q,i]          backward is the same with p and q exchanged
//
// shapes    x: [outer, p, mid, q, inner]; y: [outer, q, mid, p, inner]
// parallel  one invocation per element of y
// numerics  exact: words of any element type are copied as i32

struct Params { size: u32, p: u32, mid: u32, q: u32, inner: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let at = (wid.y * groups.x + wid.x) * 64u + lid;
  if (at >= params.size) { return; }
  let i = at % params.inner;
  let p = at / params.inner % params.p;
  let m = at / (params.inner * params.p) % params.mid;
  let q = at / (params.inner * params.p * params.mid) % params.q;
  let o = at / (params.inner * params.p * params.mid * params.q);
  y[at] = x[(((o * params.p + p) * params.mid + m) * params.q + q) * params.inner + i];
}
