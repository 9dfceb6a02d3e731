import * as reference from '../../reference/index.ts';
import { confusionMatrix as op } from '../../src/ops/confusionMatrix.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** Counts accumulate from run to run; the first run is compared. */
export const confusionMatrix = opBench({
  bench: 'confusion-matrix',
  sizes: (): [rows: number, cols: number][] => [[128, 10]],
  inputs: ([rows, cols]) => ({
    logits: uniform([rows, cols]),
    labels: integers([rows], cols),
    counts: { shape: [cols, cols], data: new Uint32Array(cols * cols) },
  }),
  run: ({ logits, labels, counts }) => {
    op(logits, labels, counts);
    return [counts.view()];
  },
  truth: ({ logits, labels }) => [reference.confusionMatrix(logits, labels).data],
});
