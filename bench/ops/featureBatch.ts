import { featureBatch as op } from '../../src/ops/featureBatch.ts';
import { Random } from '../../src/random.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

const COUNT = 10_000;
const DIM = 512;

/** A batch of 64 from ten thousand embeddings. */
export const featureBatch = opBench({
  bench: 'feature-batch',
  sizes: () => [[64, DIM]],
  inputs: () => ({
    features: uniform([COUNT, DIM]),
    allLabels: integers([COUNT], 10, 2),
    order: { shape: [COUNT], data: new Random(3).permutation(COUNT) },
  }),
  run: ({ features, allLabels, order }) => {
    const data = { features, labels: allLabels, count: COUNT, shape: [DIM] };
    const { x, labels } = op(data, { order, offset: 64, size: 64 });
    return [x, labels!];
  },
  truth: ({ features, allLabels, order }) => {
    const chosen = [...order.data.subarray(64, 128)];
    const rows = chosen.flatMap((item) => [...features.data.subarray(item * DIM, (item + 1) * DIM)]);
    return [rows, chosen.map((item) => allLabels.data[item]!)];
  },
});
