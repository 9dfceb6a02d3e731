// Training steps of a CNN, captured.
import {
  backward,
  Conv2d,
  capture,
  createGpu,
  crossEntropy,
  Flatten,
  Linear,
  MaxPool2d,
  Random,
  ReLU,
  Sequential,
  Sgd,
  tensor,
} from 'padagrad';

const gpu = await createGpu({ software: 'allow' });
const random = new Random(0);
const network = new Sequential(
  new Conv2d(gpu, { inChannels: 1, outChannels: 8, kernelSize: 5, random }), // [n, 8, 24, 24]
  new ReLU(),
  new MaxPool2d({ kernelSize: 2 }), // [n, 8, 12, 12]
  new Flatten(),
  new Linear(gpu, { inFeatures: 1152, outFeatures: 10, random }),
);
const x = tensor(
  gpu,
  Float32Array.from({ length: 16 * 784 }, () => random.uniform()),
  [16, 1, 28, 28],
);
const labels = tensor(
  gpu,
  Uint32Array.from({ length: 16 }, (_, i) => i % 10),
);
const optimizer = new Sgd(network.parameters(), { lr: 0.01, momentum: 0.9 });
const step = await capture(gpu, () => {
  optimizer.zeroGrad();
  const loss = crossEntropy(network.forward(x), labels);
  backward(loss);
  optimizer.step();
  return loss;
});
step.run();
const first = await step.result.item();
for (let i = 0; i < 20; i++) step.run();
console.log((await step.result.item()) < first ? 'learns' : 'does not learn');
gpu.dispose();
