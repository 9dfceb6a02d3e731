import * as reference from '../../reference/index.ts';
import { crossEntropy as op } from '../../src/ops/crossEntropy.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** Logits of a training batch, and of many classes. */
export const crossEntropy = opBench({
  bench: 'cross-entropy',
  sizes: ({ quick }): [rows: number, cols: number][] => [
    [64, 10],
    ...(quick ? [] : [[1024, 1000] as [number, number]]),
  ],
  inputs: ([rows, cols]) => ({ logits: uniform([rows, cols], { scale: 5 }), labels: integers([rows], cols) }),
  run: ({ logits, labels }) => [op(logits, labels)],
  truth: ({ logits, labels }) => [reference.crossEntropy(logits, labels).data],
  gradients: {
    of: ['logits'],
    truth: ({ logits, labels }, [dloss]) => [
      reference.crossEntropyBackward(logits, labels).data.map((g) => g * dloss!),
    ],
  },
});
