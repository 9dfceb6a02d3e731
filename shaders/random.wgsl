// random: shared by kernels that draw random numbers
//
//   random(key) = a number in [0, 1), in steps of 2^-24
//
// shapes    key: which number of the draw, the number of the draw, and the seed
// parallel  called per number: the same key gives the same number, whatever was drawn before
// numerics  exact: integer arithmetic, and 24 bits fit in an f32

// pcg3d (Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020). It returns z, which is mixed last: x hardly depends on
// the highest bit of the draw.
fn hash(key: vec3u) -> u32 {
  var v = key * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v ^= v >> vec3u(16u);
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  return v.z;
}

fn random(key: vec3u) -> f32 { return f32(hash(key) >> 8u) * 0x1p-24; }
