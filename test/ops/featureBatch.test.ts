import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { featureBatch } from '../../src/ops/featureBatch.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';
import { checkRefusals, nan } from './check.ts';

const VECTORS = [
  [0.5, -1, 2],
  [3, 4, 5],
  [-6, 7, 8.25],
  [9, 10, 11],
];

const open = (gpu: Gpu, labelled: boolean, places = [3, 0, 2, 1]) => ({
  data: {
    features: tensor(gpu, VECTORS),
    labels: labelled ? tensor(gpu, Uint32Array.of(10, 11, 12, 70_000)) : null,
    count: 4,
    shape: [3],
  },
  order: tensor(gpu, Uint32Array.from(places)),
});

for (const labelled of [false, true]) {
  gpuTest(
    `featureBatch ${labelled ? 'with' : 'without'} labels takes the vectors at its offset in the order`,
    async (gpu) => {
      const { data, order } = open(gpu, labelled);
      const { x, labels } = featureBatch(data, { order, offset: new Scalar(1), size: 3 });
      assert.equal(
        [...(await x.read())],
        [0, 2, 1].flatMap((i) => VECTORS[i]!),
      );
      assert.equal(labels && [...(await labels.readU32())], labelled ? [10, 12, 11] : null);
      const into = tensor(gpu, new Float32Array(12).fill(7), [4, 3]);
      const second = featureBatch(data, { order, offset: 0, size: 2, into, row: 1 });
      assert.equal([...(await into.read())], [7, 7, 7, ...VECTORS[3]!, ...VECTORS[0]!, 7, 7, 7]);
      if (labelled) assert.equal([...(await second.labels!.readU32())], [70_000, 10]);
      for (const t of [data.features, data.labels, order, x, labels, into, second.labels]) t?.dispose();
    },
  );
}

gpuTest('featureBatch writes the batch of another data set after its own', async (gpu) => {
  const [first, second] = [open(gpu, true), open(gpu, true, [2, 3, 0])];
  const into = tensor(gpu, new Float32Array(18).fill(7), [6, 3]);
  // The second has only three vectors, so its index 3 gives NaN.
  const features = tensor(gpu, VECTORS.slice(0, 3));
  const data = { ...second.data, features, labels: null, count: 3 };
  const next = { data, order: second.order, offset: new Scalar(1), size: 2 };
  const { labels } = featureBatch(first.data, { order: first.order, offset: 2, size: 2, into, row: 1, next });
  const seven = [7, 7, 7];
  assert.equal(
    [...(await into.read())],
    [...seven, ...VECTORS[2]!, ...VECTORS[1]!, nan, nan, nan, ...VECTORS[0]!, ...seven],
  );
  assert.equal([...(await labels!.readU32())], [12, 11]);
  for (const { data, order } of [first, second]) for (const t of [data.features, data.labels!, order]) t.dispose();
  for (const t of [into, features, labels!]) t.dispose();
});

gpuTest('featureBatch gives NaN, and a label without a class, for a vector that does not exist', async (gpu) => {
  const { data, order } = open(gpu, true, [4, 1]);
  const { x, labels } = featureBatch(data, { order, offset: 0, size: 2 });
  assert.equal([...(await x.read())], [nan, nan, nan, ...VECTORS[1]!]);
  assert.equal([...(await labels!.readU32())], [2 ** 32 - 1, 11]);
  for (const t of [data.features, data.labels!, order, x, labels!]) t.dispose();
});

checkRefusals('featureBatch', (gpu) => {
  const { data, order } = open(gpu, false);
  const all = { order, offset: 0, size: 2 };
  return [
    [() => featureBatch(data, { ...all, offset: 3 }), /featureBatch: order has 4 places, but 2 from offset 3 on/],
    [() => featureBatch(data, { ...all, into: empty(gpu, [2, 2]) }), /do not fit in into, which is \[2,2\]/],
    [() => featureBatch({ ...data, count: 5 }, all), /features must be \[5,3\] but is \[4,3\]/],
    [() => featureBatch(data, { ...all, order: [0] as never }), /order must be a tensor but is .*an array/],
  ];
});

run();
