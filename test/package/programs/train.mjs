// `train()` with PADA.
import { createGpu, Random } from 'padagrad';
import { train } from 'padagrad/train';

const gpu = await createGpu({ software: 'allow' });
const random = new Random(0);
const noise = (count, classes) => ({
  images: Uint8Array.from({ length: 784 * count }, () => random.integer(256)),
  labels: Uint8Array.from({ length: count }, (_, i) => i % classes),
  count,
  height: 28,
  width: 28,
});
const data = { source: noise(64, 10), target: noise(48, 5), numClasses: 10 };
const options = { method: 'pada', iterations: 4, classWeightUpdateSteps: 2, batchSize: 16 };
const { result } = await train(gpu, data, options);
console.log(Math.max(...result.classWeight));
gpu.dispose();
