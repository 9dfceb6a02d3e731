import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import { FeatureDataset, ImageDataset } from '../../src/data/dataset.ts';
import { Sampler } from '../../src/data/sampler.ts';
import { Random } from '../../src/random.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

const host = {
  images: Uint8Array.from({ length: 12 }, (_, i) => i),
  labels: Uint8Array.of(0, 1, 2),
  count: 3,
  height: 2,
  width: 2,
};

gpuTest('batches come in order, the last short one included, and pixels as byte / 127.5 - 1', async (gpu) => {
  const data = new ImageDataset(gpu, host, 2);
  const seen: { shape: readonly number[]; x: number[]; labels: number[] }[] = [];
  for (const { x, labels } of data)
    seen.push({ shape: x.shape, x: [...(await x.read())], labels: [...(await labels!.readU32())] });
  assert.equal(
    seen.map(({ shape, labels }) => ({ shape, labels })),
    [
      { shape: [2, 1, 2, 2], labels: [0, 1] },
      { shape: [1, 1, 2, 2], labels: [2] },
    ],
  );
  const expected = Float32Array.from(host.images, (byte) => byte / 127.5 - 1);
  assertClose('x', Float32Array.from(seen.flatMap(({ x }) => x)), expected, { rtol: 0, atol: 1e-6 });
  data.dispose();
});

gpuTest('bytes of a canvas are pixels too', async (gpu) => {
  const clamped = { ...host, images: Uint8ClampedArray.from(host.images) };
  const data = new ImageDataset(gpu, clamped, 3);
  const { x, labels } = data.batchAt(0);
  assertClose(
    'x',
    await x.read(),
    Float32Array.from(host.images, (byte) => byte / 127.5 - 1),
    { rtol: 0, atol: 1e-6 },
  );
  for (const t of [x, labels!, data]) t.dispose();
});

const notBytes: [what: string, images: unknown, shown: RegExp][] = [
  ['signed bytes', Int8Array.of(-1, ...host.images.subarray(1)), /an Int8Array/],
  ['numbers from 0 to 1', Float32Array.from(host.images, (byte) => byte / 255), /a Float32Array/],
  ['16-bit pixels', Uint16Array.from(host.images), /an? Uint16Array/],
  ['32-bit pixels', Uint32Array.from(host.images), /an? Uint32Array/],
  ['big integers', BigInt64Array.from(host.images, BigInt), /a BigInt64Array/],
  ['a list', [...host.images], /array/],
  ['lists of rows', [[[0, 1]]], /array/],
  ['a buffer', host.images.buffer, /an ArrayBuffer/],
  ['a view without a type', new DataView(host.images.buffer), /a DataView/],
  ['a text', 'images', /'images' \(a string\)/],
  ['null', null, /null/],
];
for (const [what, images, shown] of notBytes) {
  gpuTest(`pixels that are ${what} are refused`, (gpu) => {
    assert.throws(
      () => new ImageDataset(gpu, { ...host, images } as never, 2),
      (error: Error) =>
        error instanceof TypeError &&
        error.message.startsWith(
          'data: images must be a Uint8Array or Uint8ClampedArray, a byte from 0 to 255 per pixel, but is ',
        ) &&
        shown.test(error.message),
    );
  });
}

const notLabels: [what: string, labels: unknown, message: RegExp][] = [
  [
    'a list',
    [0, 1, 2],
    /labels must be an array of integers.* but are .*array.*; pass Uint32Array.from\(labels, Number\)/,
  ],
  ['floats', Float32Array.of(0, 1, 2), /labels must be an array of integers.* but are a Float32Array/],
  ['too large', BigInt64Array.of(0n, 1n, 2n ** 32n), /but image 2 has 4294967296/],
  ['negative', Int8Array.of(0, -1, 2), /labels are whole numbers from 0 to 2\^32 - 1, but image 1 has -1/],
  ['ignored ones of PyTorch', BigInt64Array.of(-100n, 1n, 2n), /but image 0 has -100/],
  ['between two classes', Float32Array.of(0, 0.5, 2), /but image 1 has 0\.5/],
  ['names', ['zero', 'one', 'two'], /but image 0 has NaN/],
  ['too few', Uint8Array.of(0, 1), /3 images but 2 labels/],
  ['too many', Uint8Array.of(0, 1, 2, 3), /3 images but 4 labels/],
  ['none', Uint8Array.of(), /3 images but 0 labels/],
];
for (const [what, labels, message] of notLabels) {
  gpuTest(`labels that are ${what} are refused`, (gpu) => {
    assert.throws(() => new ImageDataset(gpu, { ...host, labels } as never, 2), message);
  });
}

gpuTest('labels of any integer type are the same labels on the GPU', async (gpu) => {
  for (const type of [Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array, Int8Array, Int16Array, Int32Array]) {
    const data = new ImageDataset(gpu, { ...host, labels: type.from([2, 0, 100]) }, 3);
    assert.equal([...(await data.labels!.readU32())], [2, 0, 100], type.name);
    data.dispose();
  }
  // As PyTorch and ONNX store them.
  for (const labels of [BigInt64Array.of(2n, 0n, 100n), BigUint64Array.of(2n, 0n, 100n)]) {
    const data = new ImageDataset(gpu, { ...host, labels }, 3);
    assert.equal([...(await data.labels!.readU32())], [2, 0, 100]);
    data.dispose();
  }
});

gpuTest('colour images and feature vectors come in order, as they are', async (gpu) => {
  const colour = new ImageDataset(gpu, { images: host.images, count: 1, channels: 3, height: 2, width: 2 }, 2);
  assert.equal(colour.shape, [3, 2, 2]);
  const features = Float32Array.of(1, 2, 3, 4, 5, 6);
  const vectors = new FeatureDataset(gpu, { features, count: 3, dim: 2, labels: Int32Array.of(7, 8, 9) }, 2);
  const seen: [number[], number[]][] = [];
  for (const { x, labels } of vectors) seen.push([[...(await x.read())], [...(await labels!.readU32())]]);
  assert.equal(seen, [
    [
      [1, 2, 3, 4],
      [7, 8],
    ],
    [[5, 6], [9]],
  ]);
  for (const { x } of colour) {
    assert.equal(x.shape, [1, 3, 2, 2]);
    assertClose(
      'x',
      await x.read(),
      Float32Array.from(host.images, (byte) => byte / 127.5 - 1),
      { rtol: 0, atol: 1e-6 },
    );
  }
  assert.throws(
    () => new ImageDataset(gpu, { ...host, channels: 3 }, 2),
    /data: 3 images of 3x2x2 take 36 bytes, one per pixel and channel, but there are 12/,
  );
  assert.throws(
    () => new ImageDataset(gpu, { ...host, channels: 4 }, 2),
    /channels must be one of 1 \(grey\), 3 \(RGB\) but is 4/,
  );
  assert.throws(
    () => new ImageDataset(gpu, host, 2, { mean: [0, 0, 0] }),
    /mean has 3 numbers, but the images have 1 channels/,
  );
  assert.throws(
    () => new FeatureDataset(gpu, { features, count: 4, dim: 2 }, 2),
    /data: 4 vectors of 2 numbers take 8 numbers, but there are 6/,
  );
  assert.throws(
    () => new ImageDataset(gpu, { ...host, classNames: ['a', 'b'] }, 2),
    /data: image 2 has label 2, but there are 2 class names/,
  );
  assert.throws(() => new ImageDataset(gpu, { ...host, names: ['a.png'] }, 2), /3 images but 1 names/);
  colour.dispose();
  vectors.dispose();
});

gpuTest('a set whose numbers do not fit it, or whose parts are misnamed, is refused', (gpu) => {
  const refused = (change: object, message: RegExp) =>
    assert.throws(() => new ImageDataset(gpu, { ...host, ...change } as never, 2), message);
  refused({ count: 4 }, /data: 4 images of 2x2 take 16 bytes, one per pixel \(grey\), but there are 12/);
  refused({ width: 1.5 }, /data: width must be a whole number >= 1 but is 1\.5/);
  refused({ height: -2, width: -2 }, /data: height must be a whole number >= 1 but is -2/);
  refused(
    { count: 0, images: new Uint8Array(), labels: new Uint8Array() },
    /data: count must be a whole number >= 1 but is 0/,
  );
  refused({ count: '3' }, /data: count must be a whole number >= 1 but is '3' \(a string\)/);
  refused({ count: undefined }, /data: count is missing/);
  refused({ label: host.labels }, /data: unknown option label; did you mean labels\?/);
  assert.throws(
    () => new ImageDataset(gpu, undefined as never, 2),
    /data: expected an options object .* but got undefined/,
  );
  assert.throws(
    () => new ImageDataset(gpu, host.images as never, 2),
    /data: expected an options object .* but got an? Uint8Array/,
  );
  assert.throws(
    () => new ImageDataset(gpu, { ...host, labels: undefined }, 2, { labelled: true }),
    /data: 3 images but no labels/,
  );
  assert.throws(
    () => new ImageDataset(gpu, host, 2, { labeled: false } as never),
    /ImageDataset: unknown option labeled; did you mean labelled\?/,
  );
  for (const batchSize of [0, -1, 1.5, undefined as never])
    assert.throws(() => new ImageDataset(gpu, host, batchSize), /data: batchSize must be a whole number >= 1 but is/);
});

gpuTest('a sampler takes whole batches that its data fills, and a source of random numbers', (gpu) => {
  const data = new ImageDataset(gpu, host, 2);
  assert.throws(() => new Sampler(data, 0, new Random(0)), /sampler: batchSize must be a whole number >= 1 but is 0/);
  assert.throws(() => new Sampler(data, 4, new Random(0)), /sampler: 3 examples do not fill a batch of 4/);
  assert.throws(
    () => new Sampler(data, 2, 7 as never),
    /sampler: random must be a Random, such as new Random\(0\) but is 7/,
  );
  assert.throws(() => new Sampler([1, 2] as never, 1, new Random(0)), /sampler: data must be a Dataset, .*\[1,2\]/);
  data.dispose();
});

gpuTest('an epoch draws every image that fills a batch, once', async (gpu) => {
  const six = {
    images: Uint8Array.from({ length: 6 }),
    labels: Uint8Array.of(0, 1, 2, 3, 4, 5),
    count: 6,
    height: 1,
    width: 1,
  };
  const data = new ImageDataset(gpu, six, 2);
  for (const [batchSize, batches] of [
    [1, 6],
    [2, 3],
    [3, 2],
    [4, 1],
    [6, 1],
  ] as const) {
    const sampler = new Sampler(data, batchSize, new Random(3));
    for (let epoch = 0; epoch < 3; epoch++) {
      const drawn: number[] = [];
      for (let i = 0; i < batches; i++) {
        sampler.advance();
        const { x, labels } = sampler.batch();
        drawn.push(...(await labels!.readU32()));
        x.dispose();
        labels!.dispose();
      }
      assert.is(new Set(drawn).size, batches * batchSize, `epoch ${epoch} in batches of ${batchSize}: ${drawn}`);
    }
    sampler.dispose();
  }
  data.dispose();
});

gpuTest('a batch is drawn once: without advance() between, a second batch() or run() throws', async (gpu) => {
  const data = new ImageDataset(gpu, host, 2);
  const sampler = new Sampler(data, 1, new Random(3));
  const again = /this batch was drawn already; call advance\(\) before each batch\(\), or each run\(\)/;
  const draw = () => tidy(() => sampler.batch().labels!);
  assert.throws(draw, again);
  const step = await capture(gpu, draw);
  const twice = await capture(gpu, () => [draw(), draw()]).then(
    () => '',
    ({ message }: Error) => message,
  );
  assert.match(twice, /a captured function draws one batch of a sampler/);
  assert.throws(() => step.run(), again);
  const drawn: number[] = [];
  for (let i = 0; i < 3; i++) {
    sampler.advance();
    if (i === 1) step.run();
    const labels = i === 1 ? step.result : draw();
    drawn.push(...(await labels.readU32()));
    if (i !== 1) labels.dispose();
    assert.throws(draw, again);
    assert.throws(() => step.run(), again);
  }
  assert.equal(drawn.sort(), [...host.labels!].sort());
  for (const one of [step, sampler, data]) one.dispose();
});

gpuTest('a state of a sampler is an order of its images and a place in it, or refused', async (gpu) => {
  const data = new ImageDataset(gpu, { ...host, labels: undefined }, 2);
  const sampler = new Sampler(data, 2, new Random(5));
  sampler.advance();
  const state = sampler.stateDict();
  const changed = (name: string, ...words: number[]) => {
    const other = new Map(state);
    other.set(name, { shape: state.get(name)!.shape, data: Uint32Array.from(words) });
    return () => sampler.loadStateDict(other);
  };
  const order = /the state does not fit Sampler: order must hold 0 to 2 once each/;
  assert.throws(changed('order', 0, 0, 1), order);
  assert.throws(changed('order', 2, 2, 2), order);
  assert.throws(changed('order', 0, 1, 3), order);
  for (const next of [1, 3, 4, 4294967294])
    assert.throws(
      changed('next', next),
      new RegExp(`next is ${next}, which is not a multiple of its batch size 2 up to 3`),
    );
  assert.equal(sampler.stateDict(), state, 'what is refused changes nothing');
  changed('order', 1, 2, 0)();
  assert.equal([...sampler.stateDict().get('order')!.data], [1, 2, 0]);
  changed('next', 0)();
  sampler.dispose();
  data.dispose();
});

run();
