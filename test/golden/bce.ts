import { backward } from '../../src/autograd.ts';
import { binaryCrossEntropy } from '../../src/ops/binaryCrossEntropy.ts';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** Binary cross-entropy of probabilities, or of the sigmoid of x. */
export const bce: GoldenRunner = (gpu, { params: { reduction }, inputs }) =>
  tidy(() => {
    const name = inputs.p ? 'p' : 'x';
    const leaf = load(gpu, inputs[name], name, true);
    const loss = binaryCrossEntropy(inputs.p ? leaf : sigmoid(leaf), load(gpu, inputs.target, 'target'), {
      reduction,
      ...(inputs.weight && { weight: load(gpu, inputs.weight, 'weight') }),
    });
    backward(loss, load(gpu, inputs.grad_output, 'dloss'));
    return { outputs: { loss }, grads: { [name]: leaf.grad! } };
  });
