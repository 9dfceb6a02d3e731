import { confusionMatrix as op } from '../src/ops/confusionMatrix.ts';
import { integers, uniform } from './harness/inputs.ts';
import { matrixOf, opBench } from './harness/opBench.ts';
import { predictions } from './harness/predictions.ts';

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
  truth: ({ logits, labels }, shape) => {
    const { cols } = matrixOf(shape);
    const counts = new Float64Array(cols * cols);
    for (const [row, prediction] of predictions(logits.data, cols).entries())
      counts[labels.data[row]! * cols + prediction]!++;
    return [counts];
  },
});
