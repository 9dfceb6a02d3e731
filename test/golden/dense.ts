import { backward } from '../../src/autograd.ts';
import { linear } from '../../src/ops/linear.ts';
import { relu } from '../../src/ops/relu.ts';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { tanh } from '../../src/ops/tanh.ts';
import type { Tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

const ops: Record<string, (inputs: Record<string, Tensor>) => Tensor> = {
  linear: ({ x, weight, bias }) => linear(x!, weight!, bias!),
  relu: ({ x }) => relu(x!),
  sigmoid: ({ x }) => sigmoid(x!),
  tanh: ({ x }) => tanh(x!),
};

/** linear, relu, sigmoid, tanh. */
export const dense: GoldenRunner = (gpu, { params, inputs }) =>
  tidy(() => {
    const op = ops[params.op];
    if (!op) throw new Error(`dense: unknown op ${params.op}`);
    const { grad_output: dy, ...rest } = inputs;
    const leaves = Object.entries(rest).map(([name, value]) => [name, load(gpu, value, name, true)] as const);
    const y = op(Object.fromEntries(leaves));
    backward(y, load(gpu, dy, 'dy'));
    return { outputs: { y }, grads: Object.fromEntries(leaves.map(([name, x]) => [name, x.grad!])) };
  });
