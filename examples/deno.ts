// Trains a small network in Deno, which brings its own WebGPU: no permission and no package but padagrad.
//
//   npm install padagrad
//   deno run deno.ts
//
// Shows: types, and `using`, which frees GPU memory at the end of a block.
import {
  Adam,
  backward,
  capture,
  createGpu,
  crossEntropy,
  Linear,
  Random,
  Sequential,
  Tanh,
  type Tensor,
  tensor,
} from 'padagrad';

using gpu = await createGpu();
using x: Tensor = tensor(gpu, [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
using labels = tensor(gpu, new Uint32Array([0, 1, 1, 0])); // exclusive or

const random = new Random(1);
const net = new Sequential(
  new Linear(gpu, { inFeatures: 2, outFeatures: 8, random }),
  new Tanh(),
  new Linear(gpu, { inFeatures: 8, outFeatures: 2, random }),
);
using adam = new Adam(net.parameters(), { lr: 0.05 });
using step = await capture(gpu, () => {
  adam.zeroGrad();
  const loss = crossEntropy(net.forward(x), labels);
  backward(loss);
  adam.step();
  return loss;
});

const losses: number[] = [];
for (let i = 0; i <= 60; i++) {
  step.run();
  if (i % 60 === 0) losses.push(await step.result.item());
}
console.log(`loss ${losses.map((loss) => loss.toFixed(1)).join(', then ')}`);
