import * as assert from 'uvu/assert';
import type { AutomaticUpdateOptions } from '../../src/adaptation/automaticUpdate.ts';
import type { DataLoader } from '../../src/adaptation/classify.ts';
import { ClassWeightModule } from '../../src/adaptation/classWeight.ts';
import { collectClassificationResults } from '../../src/adaptation/collect.ts';
import { noGrad } from '../../src/autograd.ts';
import { ImageDataset } from '../../src/data/dataset.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import { BatchNorm1d, Linear, Sequential } from '../../src/nn/index.ts';
import { batchNorm, concat, dropout } from '../../src/ops/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';
import { batchesOf, CLASSES, FEATURES, modesOf, network, weightsOf } from './classifier.ts';

gpuTest('every way to give the network is evaluated in eval mode, eager, captured and prepared', async (gpu) => {
  const net = network(gpu, 16);
  // The frozen batch norm trains as well: its running statistics would move.
  net.train();
  const [count, height, width] = [40, 4, 4];
  const images = Uint8Array.from({ length: count * height * width }, (_, i) => 31 * i);
  const data = new ImageDataset(gpu, { images, count, height, width }, 16);
  class Wrapper {
    readonly net = net;
    forward(x: Tensor) {
      return { logits: this.net.forward(x) };
    }
  }
  const ways: Record<string, AutomaticUpdateOptions['classifier']> = {
    network: net,
    function: (x) => net.forward(x),
    'layer by layer': (x) => net.layers.reduce((y, layer) => layer.forward(y), x),
    object: { forward: (x) => net.forward(x) },
    'object of a class': new Wrapper(),
    'function in a function': (x) => noGrad(() => tidy(() => net.forward(x))),
  };
  const before = await net.stateDict({ all: true });
  const { runningMean } = net.layers[2] as BatchNorm1d;
  assert.equal([...(await runningMean.read())], new Array(8).fill(0));
  net.eval();
  const expected = tidy(() => concat([0, 16, 32].map((start) => net.forward(data.batchAt(start).x))));
  net.train();
  const truth = tidy(() => new ClassWeightModule().forward(expected));
  for (const [way, classifier] of Object.entries(ways)) {
    const loaders: [string, DataLoader, boolean][] = [
      ['captured', data, false],
      ['eager', data, true],
      ['batches', { [Symbol.iterator]: () => data[Symbol.iterator]() }, false],
    ];
    for (const [how, dataLoader, eager] of loaders) {
      const weights = weightsOf(gpu, { classifier, dataLoader, eager });
      if (how === 'captured') await weights.prepare();
      for (let i = 0; i < 2; i++) await weights.update();
      assertClose(`${way}, ${how}`, await weights.classWeight.read(), await truth.read(), { rtol: 1e-5, atol: 1e-7 });
      weights.dispose();
    }
    const logits = await collectClassificationResults(data, classifier);
    assertClose(`${way}, collected`, await logits.read(), await expected.read(), { rtol: 1e-5, atol: 1e-6 });
    logits.dispose();
    assert.equal(await net.stateDict({ all: true }), before, way);
    assert.ok(modesOf(net).every((training) => training));
  }
  for (const held of [expected, truth, net, data]) held.dispose();
});

gpuTest('a network that trains while the loader waits trains in training mode', async (gpu) => {
  const layer = new BatchNorm1d(gpu, { numFeatures: FEATURES });
  const net = new Sequential(
    layer,
    new Linear(gpu, { inFeatures: FEATURES, outFeatures: CLASSES, random: new Random(1) }),
  );
  const [first, second, own] = batchesOf(gpu, [8, 8, 8]) as [Tensor, Tensor, Tensor];
  const trained = () => tidy(() => void layer.forward(own));
  const dataLoader = {
    async *[Symbol.asyncIterator]() {
      yield first;
      trained();
      await Promise.resolve();
      yield second;
    },
  };
  const weights = weightsOf(gpu, { classifier: (x) => net.forward(x), dataLoader });
  const updating = weights.update();
  trained();
  await updating;
  assert.is(Number((await net.stateDict()).get('0.num_batches_tracked')!.data[0]), 2);
  const failing = weightsOf(gpu, {
    classifier: () => {
      throw new Error('no network');
    },
    dataLoader: [first],
  });
  assert.match((await failing.update().catch((error: Error) => error))!.message, /no network/);
  assert.ok(layer.training, 'also after a classifier that throws');
  for (const held of [weights, failing, net, first, second, own]) held.dispose();
});

gpuTest('ops that a classifier tells to train are refused, with what to do', async (gpu) => {
  const x = tensor(gpu, [[1, 2]]);
  const net = new BatchNorm1d(gpu, { numFeatures: 2 });
  const counter = new Counter(0);
  const { weight, bias, runningMean, runningVar } = net;
  const classifiers: Record<string, (x: Tensor) => Tensor> = {
    dropout: (x) => dropout(x, { p: 0.5, training: true, seed: 1, counter }),
    batchNorm: (x) => batchNorm(x, { weight, bias, runningMean, runningVar, training: true, momentum: 0.1, eps: 1e-5 }),
  };
  for (const [op, classifier] of Object.entries(classifiers)) {
    const error = (await collectClassificationResults([x], classifier).catch((error: Error) => error)) as Error;
    assert.match(error.message, new RegExp(`^${op}: training is true while a classifier is evaluated; pass false`));
  }
  const evaluated = (x: Tensor) => dropout(x, { p: 0.5, training: net.training, seed: 1, counter });
  const logits = await collectClassificationResults([x], evaluated);
  assert.equal([...(await logits.read())], [1, 2]);
  assert.is(counter.value, 0);
  for (const held of [logits, net, x]) held.dispose();
});

run();
