import { backward } from '../../src/autograd.ts';
import { conv2d } from '../../src/ops/conv2d.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** Convolution with each stride, padding and dilation. */
export const conv2dOp: GoldenRunner = (gpu, { params, inputs }) =>
  tidy(() => {
    const x = load(gpu, inputs.x, 'x', true);
    const weight = load(gpu, inputs.weight, 'weight', true);
    const bias = inputs.bias ? load(gpu, inputs.bias, 'bias', true) : null;
    const { stride, padding, dilation } = params;
    const y = conv2d(x, weight, bias, { stride, padding, dilation });
    backward(y, load(gpu, inputs.grad_output, 'dy'));
    return { outputs: { y }, grads: { x: x.grad!, weight: weight.grad!, ...(bias && { bias: bias.grad! }) } };
  });
