import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { SmallCnn, smallCnn } from '../../src/models/smallCnn.ts';
import { Sgd } from '../../src/optim/index.ts';
import { Random } from '../../src/random.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded, uniform } from '../harness.ts';

gpuTest("the small network's state has TLlib's names and shapes", async (gpu) => {
  const model = new SmallCnn(gpu, { numClasses: 10, random: new Random(0) });
  const state = await model.stateDict();
  assert.equal(
    [...state].map(([name, { shape }]) => `${name} [${shape}]`),
    [
      'backbone.0.weight [16,1,5,5]',
      'backbone.0.bias [16]',
      'backbone.3.weight [32,16,5,5]',
      'backbone.3.bias [32]',
      'bottleneck.0.weight [128,512]',
      'bottleneck.0.bias [128]',
      'bottleneck.1.weight [128]',
      'bottleneck.1.bias [128]',
      'bottleneck.1.running_mean [128]',
      'bottleneck.1.running_var [128]',
      'bottleneck.1.num_batches_tracked []',
      'head.weight [10,128]',
      'head.bias [10]',
    ],
  );
  assert.is(model.featuresDim, 128);
  const rates = (options: { baseLr?: number; finetune?: boolean }) =>
    model.getParameters(options).map(({ lrMultiplier }) => lrMultiplier);
  assert.equal(rates({}), [1, 1, 1]);
  assert.equal(rates({ finetune: true }), [0.1, 1, 1]);
  assert.equal(rates({ baseLr: 2, finetune: false }), [2, 2, 2]);
  assert.equal(
    model.getParameters().flatMap(({ params }) => [...params]),
    [...model.parameters()],
  );
  model.dispose();
});

gpuTest('networks of other sizes give logits and features', async (gpu) => {
  const model = new SmallCnn(gpu, {
    numClasses: 3,
    random: new Random(0),
    shape: [2, 13, 13],
    convolutions: [{ outChannels: 3, kernelSize: 4, padding: 2 }],
    featuresDim: 6,
  });
  const x = tensor(gpu, uniform([5, 2, 13, 13], seeded(1)), [5, 2, 13, 13]);
  const { logits, features } = tidy(() => model.forward(x));
  assert.equal(
    [logits.shape, features.shape],
    [
      [5, 3],
      [5, 6],
    ],
  );
  assert.ok((await logits.read()).every(Number.isFinite));
  assert.throws(
    () => new SmallCnn(gpu, { numClasses: 2, shape: [1, 3, 9], random: new Random(0) }),
    /SmallCnn: images are 3x9; it needs at least 4x4/,
  );
  assert.throws(
    () => new SmallCnn(gpu, { numClasses: 0, random: new Random(0) }),
    /SmallCnn: numClasses must be a whole number >= 1 but is 0/,
  );
  for (const t of [logits, features, x, model]) t.dispose();
});

test('the geometry names the largest tensor', () => {
  // The output of the first convolution is the largest tensor, except of images that are mostly channels.
  assert.is(smallCnn.geometry.largestBuffer([1, 28, 28], 2), 2 * 4 * 16 * 24 * 24);
  assert.is(smallCnn.geometry.largestBuffer([3, 64, 32], 1), 4 * 16 * 60 * 28);
  assert.is(smallCnn.geometry.largestBuffer([64, 16, 16], 1), 4 * 64 * 16 * 16);
});

gpuTest('the small network has more convolutions for larger images, and takes any shape', async (gpu) => {
  const layersOf = async (shape: readonly number[]) => {
    const model = smallCnn(gpu, { shape, numClasses: 3, random: new Random(0) });
    const state = await model.stateDict();
    const x = empty(gpu, [2, ...shape]);
    const { logits, features } = tidy(() => model.forward(x));
    assert.equal(
      [logits.shape, features.shape],
      [
        [2, 3],
        [2, 128],
      ],
    );
    for (const t of [x, logits, features, model]) t.dispose();
    const convolutions = [...state].filter(([, tensor]) => tensor.shape.length === 4);
    return [...convolutions.map(([, tensor]) => tensor.shape[0]!), state.get('bottleneck.0.weight')!.shape[1]!];
  };
  assert.equal(await layersOf([1, 28, 28]), [16, 32, 32 * 4 * 4]);
  assert.equal(await layersOf([3, 32, 32]), [16, 32, 32 * 5 * 5]);
  // The network of the emoji task, whose parameters its reference in PyTorch counts.
  const emoji = smallCnn(gpu, { shape: [3, 32, 32], numClasses: 12, random: new Random(0) });
  assert.is(
    [...emoji.parameters()].reduce((n, { size }) => n + size, 0),
    118_380,
  );
  emoji.dispose();
  assert.equal(await layersOf([3, 64, 64]), [16, 32, 64, 64 * 4 * 4]);
  assert.equal(await layersOf([1, 128, 128]), [16, 32, 64, 128, 128 * 4 * 4]);
  assert.equal(await layersOf([3, 224, 224]), [16, 32, 64, 128, 128, 128 * 3 * 3]);
  assert.equal(await layersOf([3, 16, 40]), [16, 32, 32 * 1 * 7]);
  assert.equal(await layersOf([3, 40, 40]), [16, 32, 32 * 7 * 7]);
  assert.equal(await layersOf([1, 20, 70]), [16, 32, 32 * 2 * 14]);
  assert.equal(await layersOf([1, 8, 8]), [16, 32, 32 * 2 * 2]);
  assert.equal(await layersOf([2, 4, 5]), [16, 32, 32 * 1 * 1]);
});

gpuTest('captured training equals eager training bit by bit, and memory stays flat', async (gpu) => {
  const results = [];
  for (const captured of [false, true]) {
    const model = new SmallCnn(gpu, {
      numClasses: 10,
      random: new Random(4),
      shape: [1, 12, 12],
      convolutions: [{ outChannels: 4, kernelSize: 3 }],
      featuresDim: 8,
    });
    const optimizer = new Sgd(model.getParameters(), { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 });
    const x = tensor(gpu, uniform([16, 1, 12, 12], seeded(2)), [16, 1, 12, 12]);
    const dy = tensor(gpu, uniform([16, 10], seeded(3), 0.02), [16, 10]);
    const iteration = () =>
      tidy(() => {
        optimizer.zeroGrad();
        backward(model.forward(x).logits, dy);
        optimizer.step();
      });
    const step = captured ? await capture(gpu, iteration) : null;
    const once = step ? () => step.run() : iteration;
    once();
    const { buffers, bytes } = gpu.memory();
    for (let i = 0; i < 49; i++) once();
    assert.equal([gpu.memory().buffers, gpu.memory().bytes], [buffers, bytes]);
    results.push({ model: await model.stateDict(), optimizer: await optimizer.stateDict() });
    for (const t of [step, optimizer, model, x, dy]) t?.dispose();
  }
  for (const { data } of [...results[0]!.model.values(), ...results[0]!.optimizer.values()])
    assert.ok([...data].every((n) => Number.isFinite(Number(n))));
  assert.equal(results[1], results[0]);
  assert.is(results[0]!.model.get('bottleneck.1.num_batches_tracked')!.data[0], 50n);
});

run();
