import { backward } from '../../src/autograd.ts';
import { relu } from '../../src/ops/relu.ts';
import type { Tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

const elementwise: Record<string, (x: Tensor) => Tensor> = { relu };

/** linear, relu, sigmoid, tanh. */
export const dense: GoldenRunner = (gpu, { params, inputs }) =>
  tidy(() => {
    const op = elementwise[params.op];
    if (!op) throw new Error(`dense: unknown op ${params.op}`);
    const x = load(gpu, inputs.x, 'x', true);
    const y = op(x);
    backward(y, load(gpu, inputs.grad_output, 'dy'));
    return { outputs: { y }, grads: { x: x.grad! } };
  });
