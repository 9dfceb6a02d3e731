import * as reference from '../../reference/index.ts';
import { imageBatch as op } from '../../src/ops/imageBatch.ts';
import { Random } from '../../src/random.ts';
import { integers } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

const COUNT = 1000;
const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** A batch of 64 from a thousand packed digits. */
export const imageBatch = opBench({
  bench: 'image-batch',
  sizes: () => [[64, 1, SIDE, SIDE]],
  inputs: () => ({
    // Four pixels per word.
    images: integers([(COUNT * PIXELS) / 4], 2 ** 32),
    allLabels: integers([COUNT], 10, 2),
    order: { shape: [COUNT], data: new Random(3).permutation(COUNT) },
  }),
  run: ({ images, allLabels, order }) => {
    const data = { images, labels: allLabels, count: COUNT, shape: [1, SIDE, SIDE] };
    const { x, labels } = op(data, { order, offset: 64, size: 64 });
    return [x, labels!];
  },
  truth: ({ images, allLabels, order }) => {
    const chosen = order.data.subarray(64, 128);
    const x = reference.imageBatch(new Uint8Array(images.data.buffer), PIXELS, chosen);
    return [x.data, chosen.map((image) => allLabels.data[image]!)];
  },
});
