// confusionMatrix: counts rows of logits by their label and their largest logit
//
//   prediction[r]                       = argmax_c logits[r,c]        the first of equals
//   counts[labels[r], prediction[r]]   += 1
//
// shapes    logits: [rows, classes]; labels: [rows] u32; counts: [classes, classes] u32, added to
// parallel  one invocation per row; atomic additions of whole numbers give the same result in any order
// numerics  exact; a row is not counted if its label is >= classes or if it holds NaN

struct Params { rows: u32, classes: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(64)
fn count(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * groups.x + wid.x) * 64u + lid;
  if (row >= params.rows || labels[row] >= params.classes) { return; }
  var best = 0u;
  var largest = logits[row * params.classes];
  for (var c = 0u; c < params.classes; c++) {
    let v = logits[row * params.classes + c];
    if (isNan(v)) { return; }
    if (v > largest) {
      best = c;
      largest = v;
    }
  }
  atomicAdd(&counts[labels[row] * params.classes + best], 1u);
}
