import { backward } from '../../src/autograd.ts';
import { batchNorm } from '../../src/ops/batchNorm.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** Batch norm of features and images, with the running statistics after it. */
export const batchnorm: GoldenRunner = (gpu, { params: { eps, momentum, mode }, inputs }) =>
  tidy(() => {
    const [x, weight, bias] = ['x', 'weight', 'bias'].map((name) => load(gpu, inputs[name], name, true));
    const runningMean = load(gpu, inputs.running_mean, 'running mean');
    const runningVar = load(gpu, inputs.running_var, 'running variance');
    const options = { weight: weight!, bias: bias!, runningMean, runningVar, eps, momentum };
    const y = batchNorm(x!, { ...options, training: mode === 'train' });
    backward(y, load(gpu, inputs.grad_output, 'dy'));
    return {
      outputs: { y, running_mean: runningMean, running_var: runningVar },
      grads: { x: x!.grad!, weight: weight!.grad!, bias: bias!.grad! },
    };
  });
