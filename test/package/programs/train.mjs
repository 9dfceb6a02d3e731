// `train()` with PADA.
import { createGpu, Random } from 'padagrad';
import { pada, train } from 'padagrad/train';

const gpu = await createGpu({ software: 'allow' });
const random = new Random(0);
const noise = (count, classes) => ({
  images: Uint8Array.from({ length: 784 * count }, () => random.integer(256)),
  labels: Uint8Array.from({ length: count }, (_, i) => i % classes),
  count,
  height: 28,
  width: 28,
});
const method = pada({ classWeightUpdateSteps: 2 });
const [source, target] = [noise(64, 10), noise(48, 5)];
const { result } = await train({ gpu, source, target, method, iterations: 4, batchSize: 16 });
console.log(Math.max(...result.classWeight));
gpu.dispose();
