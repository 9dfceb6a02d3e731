// Class weights of logits that another framework computed.
import { ClassWeightModule, createGpu, tensor } from 'padagrad';

const gpu = await createGpu({ software: 'allow' });
const logits = tensor(gpu, [
  [2, 1, -3],
  [1, 3, -2],
]);
const weights = await new ClassWeightModule({ temperature: 0.1 }).forward(logits).read();
console.log(Array.from(weights, (weight) => weight.toFixed(2)).join(' '));
gpu.dispose();
