import { backward } from '../../src/autograd.ts';
import { crossEntropy } from '../../src/ops/crossEntropy.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load, loadLabels } from './format.ts';

/** Cross-entropy with class weights. */
export const weightedCrossEntropy: GoldenRunner = (gpu, { params, inputs }) =>
  tidy(() => {
    const logits = load(gpu, inputs.logits, 'logits', true);
    const loss = crossEntropy(logits, loadLabels(gpu, inputs.labels), {
      reduction: params.reduction,
      ...(inputs.weight && { weight: load(gpu, inputs.weight, 'weight') }),
    });
    backward(loss, load(gpu, inputs.grad_output, 'dloss'));
    return { outputs: { loss }, grads: { logits: logits.grad! } };
  });
