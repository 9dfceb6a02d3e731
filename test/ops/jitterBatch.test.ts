import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { capture } from '../../src/capture.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Counter, Scalar } from '../../src/gpu/scalar.ts';
import { imageBatch } from '../../src/ops/imageBatch.ts';
import { type JitterAmounts, jitterBatch } from '../../src/ops/jitterBatch.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, assertSameBits, gpuTest, run } from '../harness.ts';
import { checkRefusals, nan } from './check.ts';

type Shape = [number, number, number];
const COUNT = 5;
const order = Uint32Array.of(3, 0, 4, 1, 2, 0, 1);
const close = { atol: 2e-5 };

function open(gpu: Gpu, shape: Shape) {
  const bytes = new Uint8Array(4 * Math.ceil((COUNT * shape[0] * shape[1] * shape[2]) / 4));
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * i * 37 + i * 11) % 256;
  const images = tensor(gpu, new Uint32Array(bytes.buffer));
  const labels = tensor(gpu, Uint32Array.of(10, 11, 12, 13, 14));
  const places = tensor(gpu, order);
  return {
    bytes,
    data: { images, labels, count: COUNT, shape },
    order: places,
    dispose: () => {
      for (const x of [images, labels, places]) x.dispose();
    },
  };
}

// Each amount by itself, then all of them. 34 x 17 pixels are more than a workgroup takes; a long image shows its sides' ratio.
const CASES: [what: string, shape: Shape, amounts: JitterAmounts][] = [
  ['nothing', [1, 5, 5], {}],
  ['rotation', [1, 6, 9], { rotation: 90 }],
  ['scale', [1, 8, 5], { scale: 0.9 }],
  ['shear', [1, 6, 9], { shear: 0.8, padding: 'border' }],
  ['translate', [1, 7, 7], { translate: 0.5 }],
  ['zoom', [1, 8, 5], { zoom: 0.9 }],
  ['aspect', [1, 8, 5], { aspect: 0.9 }],
  ['flip', [3, 4, 5], { flip: 0.5 }],
  ['elastic', [1, 9, 6], { elastic: 0.1 }],
  ['elastic of a row', [1, 1, 40], { elastic: 0.1, padding: 'border' }],
  ['blur', [3, 33, 5], { blur: 1 }],
  ['gain', [1, 4, 4], { gain: 2 }],
  ['saturation', [3, 4, 4], { saturation: 1 }],
  ['saturation of grey', [1, 4, 4], { saturation: 1 }],
  ['contrast', [3, 4, 4], { contrast: 1 }],
  ['brightness', [3, 4, 4], { brightness: 0.7 }],
  ['channelShift', [3, 4, 4], { channelShift: 0.7 }],
  [
    'all',
    [3, 34, 17],
    {
      ...{ rotation: 30, scale: 0.3, zoom: 0.3, aspect: 0.2, shear: 0.3, translate: 0.2, flip: 0.5 },
      ...{ elastic: 0.04, padding: 'border', blur: 0.7, gain: 0.5 },
      ...{ saturation: 0.4, contrast: 0.3, brightness: 0.1, channelShift: 0.1 },
    },
  ],
];
const [mean, std] = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
];

for (const [what, shape, amounts] of CASES)
  gpuTest(`jitterBatch of ${what} gives the reference's numbers`, async (gpu) => {
    const { bytes, data, order: places, dispose } = open(gpu, shape);
    const [seed, draw, size] = [9, 4, 6];
    const chosen = order.subarray(1);
    for (const [normal, expected] of [
      [data, {}],
      [
        { ...data, mean, std },
        { mean, std },
      ],
    ] as const) {
      const { x, labels } = jitterBatch(
        normal,
        { order: places, offset: new Scalar(1), size },
        { ...amounts, seed, counter: new Counter(draw) },
      );
      assert.equal(x.shape, [size, ...shape]);
      const truth = reference.jitterBatch(bytes, shape, chosen, { ...amounts, seed, draw, ...expected }).data;
      // Pixels are right to 1e-5; dividing by the deviation enlarges that.
      assertClose('x', await x.read(), truth, { atol: 1e-5 / ('std' in expected ? 0.224 : 0.5) });
      assert.equal([...(await labels!.readU32())], [10, 14, 11, 12, 10, 11]);
      for (const t of [x, labels!]) t.dispose();
    }
    dispose();
  });

gpuTest(
  'jitterBatch of nothing is imageBatch, and of anything else changes every image in its own way',
  async (gpu) => {
    const { data, order: places, dispose } = open(gpu, [3, 8, 8]);
    const twice = tensor(gpu, Uint32Array.of(2, 2, 2));
    const request = { order: places, offset: 0, size: 5 };
    const plain = imageBatch(data, request);
    const same = jitterBatch(data, request, { seed: 1, counter: new Counter(0) });
    assertClose('x', await same.x.read(), await plain.x.read(), close);
    const moved = (counter: number, seed: number) =>
      jitterBatch(
        { ...data, labels: null },
        { order: twice, offset: 0, size: 3 },
        { translate: 0.2, seed, counter: new Counter(counter) },
      ).x;
    const batches = [moved(0, 1), moved(1, 1), moved(0, 2)];
    const images = (await Promise.all(batches.map((x) => x.read()))).flatMap((x) =>
      [0, 1, 2].map((i) => String(x.subarray(192 * i, 192 * (i + 1)))),
    );
    assert.is(new Set(images).size, 9);
    dispose();
    for (const t of [twice, plain.x, plain.labels!, same.x, same.labels!, ...batches]) t.dispose();
  },
);

gpuTest('jitterBatch draws again at each use, eager and captured alike, into rows of a given tensor', async (gpu) => {
  const { data, order: places, dispose } = open(gpu, [1, 6, 6]);
  const into = tensor(gpu, new Float32Array(4 * 36).fill(7), [4, 1, 6, 6]);
  const batch = (counter: Counter) => () =>
    jitterBatch(
      { ...data, labels: null },
      { order: places, offset: 0, size: 2, into, row: 1 },
      {
        ...{ rotation: 90, seed: 3, counter },
      },
    ).x;
  const eager: Float32Array[] = [];
  const counter = new Counter(5);
  for (let i = 0; i < 3; i++) {
    tidy(() => void batch(counter)());
    eager.push(await into.read());
  }
  assert.is(counter.value, 8);
  assert.equal([...eager[0]!.subarray(0, 36), ...eager[0]!.subarray(108)], new Array(72).fill(7));
  assert.is(new Set(eager.map(String)).size, 3);
  const again = new Counter(5);
  const step = await capture(gpu, () => void batch(again)());
  for (const [i, expected] of eager.entries()) {
    step.run();
    assertSameBits(`draw ${i}`, await into.read(), expected);
  }
  dispose();
  for (const t of [step, into]) t.dispose();
});

gpuTest('jitterBatch gives NaN, and a label without a class, for an image that does not exist', async (gpu) => {
  const { data, dispose } = open(gpu, [3, 2, 2]);
  const places = tensor(gpu, Uint32Array.of(COUNT, 4));
  const { x, labels } = jitterBatch(
    data,
    { order: places, offset: 0, size: 2 },
    {
      ...{ rotation: 10, contrast: 0.5, seed: 0, counter: new Counter(0) },
    },
  );
  assertClose('x', (await x.read()).subarray(0, 12), new Array(12).fill(nan));
  assert.ok([...(await x.read()).subarray(12)].every(Number.isFinite));
  assert.equal([...(await labels!.readU32())], [2 ** 32 - 1, 14]);
  dispose();
  for (const t of [places, x, labels!]) t.dispose();
});

checkRefusals('jitterBatch', (gpu) => {
  const { data, order: places } = open(gpu, [1, 3, 3]);
  const all = { order: places, offset: 0, size: 1 };
  const drawn = { seed: 0, counter: new Counter(0) };
  const refused = (options: object, request: object = all, of: object = data) =>
    (() => jitterBatch(of as never, request as never, options as never)) as () => { x: Tensor };
  return [
    [refused({ seed: 0 }), /jitterBatch: counter is missing/],
    [refused({ ...drawn, counter: 0 }), /counter must be a Counter but is 0/],
    [refused({ ...drawn, seed: -1 }), /seed must be a whole number from 0 to 4294967295/],
    [refused({ ...drawn, scale: 1 }), /scale must be a number from 0 to 0.99 but is 1/],
    [refused({ ...drawn, flip: 2 }), /flip must be a number from 0 to 1 but is 2/],
    [refused({ ...drawn, shift: 1 }), /unknown option shift/],
    [refused(drawn, { ...all, size: 8 }), /order has 7 places, but 8 from offset 0 on are needed/],
    [refused(drawn, all, { ...data, shape: [9] }), /jitterBatch: shape must be \[1 or 3, height, width\] but is \[9\]/],
  ];
});

run();
