import * as reference from '../../reference/index.ts';
import { CountedScalar } from '../../src/gpu/scalar.ts';
import { jitterBatch as op } from '../../src/ops/jitterBatch.ts';
import { Random } from '../../src/random.ts';
import { integers } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

const COUNT = 1000;
const AMOUNTS = {
  ...{ rotation: 14.3, zoom: 0.5, aspect: 0.2, shear: 0.25, translate: 0.05, elastic: 0.04, blur: 1, gain: 0.65 },
  ...{ saturation: 0.4, contrast: 0.3, brightness: 0.075, channelShift: 0.075 },
};
// Every run repeats the first draw, which is compared.
const first = new CountedScalar(() => 0, false);

/** A batch of 64 from a thousand packed images, grey and in colour. */
export const jitterBatch = opBench({
  bench: 'jitter-batch',
  sizes: (): [number, number, number][] => [
    [1, 28, 28],
    [3, 32, 32],
  ],
  label: (shape) => `64x${shape.join('x')}`,
  inputs: (shape) => ({
    // Four pixels per word.
    images: integers([(COUNT * shape[0] * shape[1] * shape[2]) / 4], 2 ** 32),
    order: { shape: [COUNT], data: new Random(3).permutation(COUNT) },
  }),
  run: ({ images, order }, shape) => {
    const data = { images, labels: null, count: COUNT, shape };
    return [op(data, { order, offset: 64, size: 64 }, { ...AMOUNTS, seed: 7, counter: first }).x];
  },
  truth: ({ images, order }, shape) => {
    const bytes = new Uint8Array(images.data.buffer);
    const options = { ...AMOUNTS, seed: 7, draw: 0 };
    return [reference.jitterBatch(bytes, shape, order.data.subarray(64, 128), options).data];
  },
});
