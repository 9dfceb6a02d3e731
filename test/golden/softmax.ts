import { backward } from '../../src/autograd.ts';
import { logSoftmax, softmax } from '../../src/ops/softmax.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** softmax and its logarithm, with temperature. */
export const softmaxes: GoldenRunner = (gpu, { params: { op, temperature }, inputs }) =>
  tidy(() => {
    const x = load(gpu, inputs.x, 'x', true);
    const y = (op === 'log_softmax' ? logSoftmax : softmax)(x, { temperature });
    backward(y, load(gpu, inputs.grad_output, 'dy'));
    return { outputs: { y }, grads: { x: x.grad! } };
  });
