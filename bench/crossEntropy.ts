import * as reference from '../reference/index.ts';
import { crossEntropy as op } from '../src/ops/crossEntropy.ts';
import type { Bench } from './harness/case.ts';
import { integers, uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

/** Loss of rows of logits against labels: a training batch, and many classes. */
export const crossEntropy: Bench = ({ quick }) =>
  [[64, 10], ...(quick ? [] : [[1024, 1000]])].flatMap((shape) => {
    const [rows, cols] = shape as [number, number];
    const make = () => ({ logits: uniform(shape, { scale: 5 }), labels: integers([rows], cols) });
    return [
      kernelCase({
        bench: 'cross-entropy',
        shape: shape.join('x'),
        inputs: make,
        run: ({ logits, labels }) => [op(logits, labels)],
        truth: ({ logits, labels }) => [reference.crossEntropy(logits, labels).data],
        bytes: 4 * rows * cols,
      }),
      kernelCase({
        bench: 'cross-entropy-backward',
        shape: shape.join('x'),
        inputs: () => {
          const { logits, labels } = make();
          return { logits: wanted(logits), labels };
        },
        run: ({ logits, labels }) => [op(logits, labels)],
        truth: ({ logits, labels }, [dloss]) => [
          reference.crossEntropyBackward(logits, labels).data.map((g) => g * dloss!),
        ],
        bytes: 8 * rows * cols,
      }),
    ];
  });
