import { backward } from '../../src/autograd.ts';
import { avgPool2d } from '../../src/ops/avgPool2d.ts';
import { maxPool2d } from '../../src/ops/maxPool2d.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** Largest and mean of windows. */
export const pool2d: GoldenRunner = (gpu, { params: { op, kernel: kernelSize, stride, padding }, inputs }) =>
  tidy(() => {
    const x = load(gpu, inputs.x, 'x', true);
    const pool = op === 'max' ? maxPool2d : avgPool2d;
    const y = pool(x, { kernelSize, stride, padding });
    backward(y, load(gpu, inputs.grad_output, 'dy'));
    return { outputs: { y }, grads: { x: x.grad! } };
  });
