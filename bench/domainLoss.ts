import { domainLoss as op } from '../src/ops/domainLoss.ts';
import { type Input, uniform } from './harness/inputs.ts';
import { opBench } from './harness/opBench.ts';

const positive = ({ data, shape }: Input<Float32Array>): Input<Float32Array> => ({
  shape,
  data: data.map((v) => v + 0.5),
});

/** Weighted binary cross-entropy of a batch whose first half is the source, labelled 1. */
export const domainLoss = opBench({
  bench: 'domain-loss',
  shapes: () => [[128, 1]],
  inputs: (shape) => {
    const half = shape[0]! / 2;
    return {
      p: positive(uniform(shape, { scale: 0.4 })),
      source: positive(uniform([half], { scale: 0.5, seed: 2 })),
      target: positive(uniform([half], { scale: 0.5, seed: 3 })),
    };
  },
  run: ({ p, source, target }) => {
    const { loss, accuracy } = op(p, { sources: source.size, weights: { source, target } });
    return [loss, accuracy];
  },
  truth: ({ p, source, target }) => {
    const n = source.data.length;
    let loss = 0;
    let right = 0;
    for (let i = 0; i < n; i++) {
      const [s, t] = [p.data[i]!, p.data[n + i]!];
      loss -= (source.data[i]! * Math.log(s) + target.data[i]! * Math.log(1 - t)) / (2 * n);
      right += Number(s >= 0.5) + Number(t < 0.5);
    }
    return [[loss], [(100 * right) / (2 * n)]];
  },
  gradients: {
    of: ['p'],
    truth: ({ p, source, target }, [scale]) => {
      const n = source.data.length;
      return [
        Float64Array.from(p.data, (v, i) => {
          const slope = i < n ? -source.data[i]! / v : target.data[i - n]! / (1 - v);
          return (slope * scale!) / (2 * n);
        }),
      ];
    },
  },
});
