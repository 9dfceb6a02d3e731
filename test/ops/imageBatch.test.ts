import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { imageBatch } from '../../src/ops/imageBatch.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { assertClose, gpuTest, run } from '../harness.ts';
import { checkRefusals, nan } from './check.ts';

// 5 images of 3 x 3: nine bytes do not fill whole words, so images begin anywhere in one.
const COUNT = 5;
const PIXELS = 9;
const bytes = Uint8Array.from({ length: 48 }, (_, i) => (i < COUNT * PIXELS ? (i * 37) % 256 : 0));
const order = Uint32Array.of(3, 0, 4, 1, 2);
const LABELS = [10, 11, 12, 13, 14];
const images = (...chosen: number[]): number[] => [...reference.imageBatch(bytes, PIXELS, chosen).data];
const close = { atol: 2e-7 };

const open = (gpu: Gpu, { labelled = true, places = order } = {}) => {
  const images = tensor(gpu, new Uint32Array(bytes.buffer));
  const labels = labelled ? tensor(gpu, Uint32Array.from(LABELS)) : null;
  const placesOnGpu = tensor(gpu, places);
  return {
    data: { images, labels, count: COUNT, shape: [1, 3, 3] },
    order: placesOnGpu,
    dispose: () => {
      for (const x of [images, labels, placesOnGpu]) x?.dispose();
    },
  };
};

for (const labelled of [false, true]) {
  const title = labelled ? 'with labels' : 'without labels';
  gpuTest(`imageBatch ${title} takes the images at its offset in the order`, async (gpu) => {
    const { data, order, dispose } = open(gpu, { labelled });
    const { x, labels } = imageBatch(data, { order, offset: new Scalar(1), size: 3 });
    assert.equal(x.shape, [3, 1, 3, 3]);
    assertClose('x', await x.read(), images(0, 4, 1), close);
    assert.equal(labels && [...(await labels.readU32())], labelled ? [10, 14, 11] : null);
    dispose();
    for (const t of [x, labels]) t?.dispose();
  });

  // Images of 36 bytes: only the first row begins where a view could.
  gpuTest(`imageBatch ${title} writes rows of a given tensor`, async (gpu) => {
    const { data, order, dispose } = open(gpu, { labelled });
    const into = tensor(gpu, new Float32Array(6 * PIXELS).fill(7), [6, 1, 3, 3]);
    const first = imageBatch(data, { order, offset: 0, size: 2, into });
    const second = imageBatch(data, { order, offset: 1, size: 3, into, row: 2 });
    assert.is(second.x, into);
    assertClose('x', await into.read(), [...images(3, 0, 0, 4, 1), ...new Array(PIXELS).fill(7)], close);
    if (labelled) assert.equal([...(await second.labels!.readU32())], [10, 14, 11]);
    dispose();
    for (const t of [into, first.labels, second.labels]) t?.dispose();
  });
}

// 27 bytes before the rows of the second data set: an invocation takes pixels of both.
gpuTest('imageBatch writes the batch of another data set after its own', async (gpu) => {
  const first = open(gpu);
  // Another order, and fewer images, so that an index that only the first data set has gives NaN.
  const second = open(gpu, { places: Uint32Array.of(1, 4, 2, 0) });
  const into = tensor(gpu, new Float32Array(8 * PIXELS).fill(7), [8, 1, 3, 3]);
  const data = { ...second.data, count: 3, labels: null };
  const next = { data, order: second.order, offset: new Scalar(1), size: 3 };
  const { x, labels } = imageBatch(first.data, { order: first.order, offset: 2, size: 3, into, row: 1, next });
  assert.is(x, into);
  const sevens = new Array(PIXELS).fill(7);
  const none = new Array(PIXELS).fill(nan);
  assertClose('x', await x.read(), [...sevens, ...images(4, 1, 2), ...none, ...images(2, 0), ...sevens], close);
  assert.equal([...(await labels!.readU32())], [14, 11, 12]);
  for (const t of [first, second, into, labels!]) t.dispose();
});

gpuTest('imageBatch gives NaN, and a label without a class, for an image that does not exist', async (gpu) => {
  const { data, order, dispose } = open(gpu, { places: Uint32Array.of(COUNT, 4, 2 ** 32 - 1) });
  const { x, labels } = imageBatch(data, { order, offset: 0, size: 3 });
  const none = new Array(PIXELS).fill(nan);
  assertClose('x', await x.read(), [...none, ...images(4), ...none], close);
  assert.equal([...(await labels!.readU32())], [2 ** 32 - 1, 14, 2 ** 32 - 1]);
  dispose();
  for (const t of [x, labels!]) t.dispose();
});

gpuTest('imageBatch normalises each channel of colour images by its own mean and deviation', async (gpu) => {
  // 2 images of 3 channels of 1 x 5 pixels, as torchvision's Normalize has it.
  const [mean, std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const pixels = bytes.subarray(0, 30);
  const data = {
    images: tensor(gpu, Uint32Array.from(new Uint32Array(bytes.buffer).subarray(0, 8))),
    labels: null,
    count: 2,
    shape: [3, 1, 5],
  };
  const order = tensor(gpu, Uint32Array.of(1, 0));
  const normalised = imageBatch({ ...data, mean: mean!, std: std! }, { order, offset: 0, size: 2 });
  assert.equal(normalised.x.shape, [2, 3, 1, 5]);
  const at = (i: number) => pixels[(i + 15) % 30]!;
  const channel = (i: number) => Math.floor(i / 5) % 3;
  const truth = Array.from({ length: 30 }, (_, i) => (at(i) / 255 - mean![channel(i)]!) / std![channel(i)]!);
  assertClose('x', await normalised.x.read(), truth, { atol: 2e-6 });
  const plain = imageBatch(data, { order, offset: 0, size: 2 });
  assertClose(
    'x',
    await plain.x.read(),
    Array.from({ length: 30 }, (_, i) => at(i) / 127.5 - 1),
    close,
  );
  for (const t of [data.images, order, normalised.x, plain.x]) t.dispose();
});

checkRefusals('imageBatch', (gpu) => {
  const { data, order } = open(gpu, { labelled: false });
  const into = (shape: number[], row: number) => () =>
    imageBatch(data, { order, offset: 0, size: 2, into: empty(gpu, shape), row });
  const at = (offset: unknown, size: number) => () => imageBatch(data, { order, offset: offset as number, size });
  const all = { order, offset: 0, size: 1 };
  return [
    [into([2, 9], 0), /imageBatch: 2 examples \[1,3,3\] from row 0 on do not fit in into, which is \[2,9\]/],
    [into([3, 1, 3, 3], 2), /from row 2 on do not fit in into, which is \[3,1,3,3\]/],
    [into([3, 1, 3, 3], -1), /row must be a whole number >= 0 but is -1/],
    [() => imageBatch({ ...data, count: 6 }, all), /images has 12 words, but 6 images of \[1,3,3\] bytes take 14/],
    [() => imageBatch(undefined as never, all), /images must be a tensor but is undefined/],
    [() => imageBatch(data, { ...all, order: [0] as never }), /order must be a tensor but is .*an array/],
    [() => imageBatch({ ...data, shape: [2, 3, 3] }, all), /shape must be \[1 or 3, height, width\] but is \[2,3,3\]/],
    [() => imageBatch({ ...data, mean: [] }, all), /mean and std must have a number for each of 1 channels/],
    [at(4, 2), /imageBatch: order has 5 places, but 2 from offset 4 on are needed/],
    [at(new Scalar(3), 3), /order has 5 places, but 3 from offset 3 on/],
    [
      () => imageBatch(data, { ...all, into: empty(gpu, [2, 1, 3, 3]), next: { ...all, data, size: 2 } }),
      /3 examples \[1,3,3\] from row 0 on do not fit in into, which is \[2,1,3,3\]/,
    ],
    [at('0', 2), /offset must be a whole number >= 0, or a Scalar but is '0'/],
  ];
});

run();
