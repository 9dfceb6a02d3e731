// lanes: does nothing: the device compiles it to see whether it takes a number of lanes
//
//   no output
//
// shapes    no bindings
// parallel  one workgroup of 64, a multiple of every number of lanes that a kernel asks for
// numerics  none

@compute @workgroup_size(64)
fn main() {}
