import * as reference from '../reference/index.ts';
import { confusionMatrix as op } from '../src/ops/confusionMatrix.ts';
import { integers, uniform } from './harness/inputs.ts';
import { matrixOf, opBench } from './harness/opBench.ts';

/** Counts go on from run to run: what is compared is the first. */
export const confusionMatrix = opBench({
  bench: 'confusion-matrix',
  shapes: () => [[128, 10]],
  inputs: (shape) => {
    const { rows, cols } = matrixOf(shape);
    const counts = { shape: [cols, cols], data: new Uint32Array(cols * cols) };
    return { logits: uniform(shape), labels: integers([rows], cols), counts };
  },
  run: ({ logits, labels, counts }) => {
    op(logits, labels, counts);
    return [counts.view()];
  },
  truth: ({ logits, labels }) => [reference.confusionMatrix(logits, labels).data],
});
