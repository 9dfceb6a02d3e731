import * as reference from '../../reference/index.ts';
import { domainLoss as op } from '../../src/ops/domainLoss.ts';
import type { Shape } from '../../src/shape.ts';
import { type Input, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

const positive = ({ data, shape }: Input<Float32Array>): Input<Float32Array> => ({
  shape,
  data: data.map((v) => v + 0.5),
});

const optionsOf = <T extends { shape: Shape }>(source: T, target: T) => ({
  sources: source.shape[0]!,
  weights: { source, target },
});

/** Weighted binary cross-entropy of a batch whose first half is the source (label 1). */
export const domainLoss = opBench({
  bench: 'domain-loss',
  sizes: () => [[128, 1]],
  inputs: (shape) => {
    const half = shape[0]! / 2;
    return {
      p: positive(uniform(shape, { scale: 0.4 })),
      source: positive(uniform([half], { scale: 0.5, seed: 2 })),
      target: positive(uniform([half], { scale: 0.5, seed: 3 })),
    };
  },
  run: ({ p, source, target }) => {
    const { loss, accuracy } = op(p, optionsOf(source, target));
    return [loss, accuracy];
  },
  truth: ({ p, source, target }) => {
    const { loss, accuracy } = reference.domainLoss(p, optionsOf(source, target));
    return [loss.data, accuracy.data];
  },
  gradients: {
    of: ['p'],
    truth: ({ p, source, target }, [dloss]) => [
      reference.domainLossBackward(p, optionsOf(source, target)).data.map((g) => g * dloss!),
    ],
  },
});
