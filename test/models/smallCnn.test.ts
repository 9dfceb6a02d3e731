import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import { Sgd } from '../../src/optim/index.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
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
  assert.equal(rates({}), [0.1, 1, 1]);
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
    imageSize: 13,
    inChannels: 2,
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
    () => new SmallCnn(gpu, { numClasses: 2, imageSize: 7, random: new Random(0) }),
    /SmallCnn: images are 7x7; it needs square images of at least 16x16/,
  );
  assert.throws(
    () => new SmallCnn(gpu, { numClasses: 0, random: new Random(0) }),
    /SmallCnn: numClasses must be a whole number >= 1 but is 0/,
  );
  for (const t of [logits, features, x, model]) t.dispose();
});

gpuTest('captured training equals eager training bit by bit, and memory stays flat', async (gpu) => {
  const results = [];
  for (const captured of [false, true]) {
    const model = new SmallCnn(gpu, {
      numClasses: 10,
      random: new Random(4),
      imageSize: 12,
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
