import * as reference from '../../reference/index.ts';
import { accuracy as op } from '../../src/ops/accuracy.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const accuracy = opBench({
  bench: 'accuracy',
  sizes: matrices,
  inputs: (shape) => ({ logits: uniform(shape), labels: integers([shape[0]!], shape[1]!) }),
  run: ({ logits, labels }) => [op(logits, labels)],
  truth: ({ logits, labels }) => [reference.accuracy(logits, labels).data],
});
