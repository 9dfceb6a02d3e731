import { Parameter } from '../../src/nn/parameter.ts';
import { Adam, AdamW, type Optimizer, Sgd } from '../../src/optim/index.ts';
import { tensor } from '../../src/tensor.ts';
import { type Actual, type GoldenCase, type GoldenRunner, type GoldenTensor, load } from './format.ts';
import { frozen } from './modules.ts';

/** A parameter under given gradients, after each step, and the optimiser's state after the last. */
export const optim: GoldenRunner = async (gpu, { params, inputs }) => {
  const { shape, data } = inputs.param as GoldenTensor;
  const parameter = new Parameter(gpu, Float32Array.from(data, Number), shape);
  const optimizer = make(parameter, params);
  const seen: Actual[] = [];
  for (const grad of inputs.grads as GoldenTensor[]) {
    parameter.grad = load(gpu, grad, 'grad');
    optimizer.step();
    seen.push(await frozen(gpu, parameter));
    optimizer.zeroGrad();
  }
  const state: Record<string, Actual> = {};
  for (const [name, { shape, data }] of await optimizer.stateDict()) {
    if (!/lr$|step$/.test(name)) state[name.replace(/^0\./, '')] = tensor(gpu, data as Float32Array, shape);
  }
  optimizer.dispose();
  parameter.dispose();
  return { outputs: { param: seen, state } };
};

function make(
  parameter: Parameter,
  { optimiser, weight_decay: weightDecay, ...rest }: GoldenCase['params'],
): Optimizer {
  const options = { lr: rest.lr, ...rest, ...(weightDecay !== undefined && { weightDecay }) };
  if (optimiser === 'SGD') return new Sgd([parameter], options);
  if (optimiser === 'Adam') return new Adam([parameter], options);
  if (optimiser === 'AdamW') return new AdamW([parameter], options);
  throw new Error(`optim: unknown optimiser ${optimiser}`);
}
