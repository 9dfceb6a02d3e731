import { WarmStartGradientReverseLayer } from '../../src/adaptation/gradientReversal.ts';
import { backward } from '../../src/autograd.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** Coefficients of the gradient reversal and the gradients they give; or those of a layer that counts by itself. */
export const grl: GoldenRunner = (gpu, { params, inputs, outputs }) => {
  const { alpha, lo, hi, max_iters: maxIters, auto_step: autoStep } = params;
  const layer = new WarmStartGradientReverseLayer({ alpha, lo, hi, maxIters, autoStep: autoStep === 1 });
  const coeff: number[] = [];
  if (autoStep) {
    tidy(() => {
      const x = load(gpu, { shape: [1], data: [1] }, 'x');
      for (const _ of outputs.coeff as number[]) {
        coeff.push(layer.coefficient.value);
        layer.forward(x);
      }
    });
    return { outputs: { coeff } };
  }
  const grads = tidy(() =>
    (inputs.iter_num as number[]).map((i) => {
      const x = load(gpu, inputs.x, 'x', true);
      layer.iterNum = i;
      coeff.push(layer.coefficient.value);
      backward(layer.forward(x), load(gpu, inputs.grad_output, 'dy'));
      return x.grad!;
    }),
  );
  return { outputs: { coeff }, grads: { x: grads } };
};
