// Adds an op of your own, softsign y = x / (1 + |x|), and checks its gradient.
//
//   npm run example -- examples/custom-op.mjs
//
// Shows: a kernel in WGSL (defineKernel), its place in the graph (record), and gradCheck(), which compares the backward kernel
// with the central difference of the forward kernel.
import { backward, createGpu, defineKernel, empty, gradCheck, mean, record, tensor } from 'padagrad';

// Each field of Params is a number that a launch passes; each binding is a tensor that it passes by name.
const kernel = defineKernel(
  'softsign',
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid; // a large grid has two dimensions
  if (i < params.size) { y[i] = x[i] / (1.0 + abs(x[i])); }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  let d = 1.0 + abs(x[i]);
  if (i < params.size) { dx[i] = dy[i] / (d * d); }
}
`,
  ['forward', 'backward'],
);

function softsign(x) {
  const groups = Math.ceil(x.size / 64);
  const y = empty(x.gpu, x.shape, 'f32', 'softsign');
  kernel.forward({ x, y }, { size: x.size }, groups);
  // The list [x] names the tensors that backward reads. One gradient is returned per input.
  return record('softsign', [x], y, [x], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ x, dy, dx }, { size: x.size }, groups);
    return [dx];
  });
}

const gpu = await createGpu();
const x = tensor(gpu, [-3, -1, -0.5, 0.5, 1, 3]);
const { error } = await gradCheck(softsign, [x]);
console.log(`gradient ${error < 0.001 ? 'correct' : 'wrong'}`);

x.requiresGrad = true;
const loss = mean(softsign(x));
backward(loss);
console.log(`gradient of the mean: ${Array.from(await x.grad.read(), (g) => g.toFixed(4)).join(' ')}`);

// A mistake: the derivative of something else.
const wrong = (x) => record('wrong', [x], softsign(x).view(), [], (dy) => [dy]);
await gradCheck(wrong, [x]).catch((error) => console.log(error.message.split(' along')[0], 'found the wrong gradient'));
gpu.dispose();
