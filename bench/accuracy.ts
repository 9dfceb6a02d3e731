import { accuracy as op } from '../src/ops/accuracy.ts';
import { integers, uniform } from './harness/inputs.ts';
import { matrices, opBench } from './harness/opBench.ts';
import { predictions } from './harness/predictions.ts';

export const accuracy = opBench({
  bench: 'accuracy',
  shapes: matrices,
  inputs: (shape) => ({ logits: uniform(shape), labels: integers([shape[0]!], shape[1]!) }),
  run: ({ logits, labels }) => [op(logits, labels)],
  truth: ({ logits, labels }, shape) => {
    const right = predictions(logits.data, shape[1]!).filter((prediction, row) => prediction === labels.data[row]);
    return [[(100 * right.length) / shape[0]!]];
  },
});
