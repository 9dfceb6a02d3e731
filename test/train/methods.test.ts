import * as assert from 'uvu/assert';
import { Dataset, ImageDataset } from '../../src/data/dataset.ts';
import type { HostFeatures } from '../../src/data/host.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { ModelSpec } from '../../src/models/model.ts';
import { BatchNorm1d, Dropout, Flatten, Linear, Module, Sequential, Sigmoid } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { sizeOf } from '../../src/shape.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { train } from '../../src/train/loop.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { sourceOnly } from '../../src/train/methods/sourceOnly.ts';
import { predict } from '../../src/train/predict.ts';
import { assertClose, gpuTest, run, seeded } from '../harness.ts';
import { stripes, stripesData, stripesSettings } from './stripes.ts';

// Networks and data of the user's own through `train`.

/** A network of the user's own, without a convolution. */
class Net extends Module<{ logits: Tensor; features: Tensor }> {
  readonly body: Sequential;
  readonly head: Linear;

  constructor(gpu: Gpu, { numClasses, shape, random }: ModelSpec) {
    super();
    const linear = (inFeatures: number, outFeatures: number) => new Linear(gpu, { inFeatures, outFeatures, random });
    this.body = new Sequential(
      ...[new Flatten(), linear(sizeOf(shape), 24), new BatchNorm1d(gpu, { numFeatures: 24 })],
      ...[new Sigmoid(), new Dropout({ p: 0.1, seed: 5 })],
    );
    this.head = linear(24, numClasses);
  }

  forward(x: Tensor) {
    const features = this.body.forward(x);
    return { logits: this.head.forward(features), features };
  }
}

for (const method of ['pada', 'dann', 'source-only'] as const) {
  gpuTest(`${method}: a network of the user's own learns, and resumes bit for bit`, async (gpu) => {
    const checkpoints: Checkpoint[] = [];
    const test = stripes(40, 5, { classes: 2 });
    const { model: _, ...settings } = stripesSettings(gpu, { method, iterations: 60, lr: 0.03 });
    const trained = async (more: object) => {
      const { result, trainer } = await train({
        ...settings,
        model: (gpu, spec) => new Net(gpu, spec),
        checkpointEvery: 35,
        targetTest: test,
        callbacks: { onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint) },
        ...more,
      });
      const { tensors } = await trainer.state();
      const head: Linear = trainer.model.head;
      const { labels, probabilities } = await predict(gpu, { data: test, model: trainer.model });
      trainer.dispose();
      return { result, tensors, head: head.weight.shape, labels, probabilities };
    };
    const whole = await trained({});
    assert.equal(whole.head, [4, 24]);
    assert.ok(whole.result.targetAccuracy! > 90, `${whole.result.targetAccuracy} %`);
    assert.is(checkpoints[0]!.iteration, 35);
    const resumed = await trained({ resume: checkpoints[0] });
    assert.equal(resumed.tensors, whole.tensors);
    assert.equal(resumed.probabilities, whole.probabilities);
    const right = whole.labels.reduce((n, label, i) => n + Number(label === test.labels![i]), 0);
    assert.is((100 * right) / 40, whole.result.targetAccuracy);
    for (let i = 0; i < 40; i++)
      assertClose('sum', [whole.probabilities.subarray(4 * i, 4 * i + 4).reduce((a, p) => a + p, 0)], [1], {
        rtol: 1e-5,
        atol: 0,
      });
  });
}

/** A data set of the user's own: the images of another, counted. */
class Own extends Dataset {
  readonly shape = [1, 16, 16];
  batches = 0;

  constructor(private readonly images: ImageDataset) {
    super(images.gpu, images.count, images.batchSize);
  }

  batch(request: Parameters<ImageDataset['batch']>[0]) {
    this.batches++;
    return this.images.batch(request);
  }
}

gpuTest("data sets of the user's own are trained on as host data is, and stay theirs", async (gpu) => {
  const settings = stripesSettings(gpu, { iterations: 25 });
  const trained = async (data: object) => {
    const { trainer, result } = await train({ ...settings, ...data });
    const { tensors } = await trainer.state();
    const { labels } = await predict(gpu, {
      data: (data as { target?: Dataset }).target ?? settings.target!,
      model: trainer.model,
    });
    trainer.dispose();
    return { tensors, labels, accuracy: result.targetAccuracy };
  };
  const test = stripes(40, 5, { classes: 2 });
  const whole = await trained({ targetTest: test });
  const { source, target, numClasses } = stripesData();
  const sets = [new ImageDataset(gpu, source, 8), new ImageDataset(gpu, target, 16), new ImageDataset(gpu, test, 128)];
  const own = sets.map((set) => new Own(set));
  const given = { source: own[0], target: own[1], targetTest: own[2] };
  assert.equal(await trained({ ...given, numClasses }), whole);
  for (const set of own) assert.ok(set.batches > 0);
  const lacking = await train({ ...settings, ...given, numClasses: undefined } as never).catch((e) => e.message);
  assert.match(lacking, /training: numClasses is missing; pass it, as the source is a Dataset/);
  const lost = await train({ ...settings, ...given, reopen: async () => gpu } as never).catch((e) => e.message);
  assert.match(lost, /train: source is a Dataset, which another device cannot take over/);
  const bare = { ...settings, numClasses, source: new ImageDataset(gpu, source, 8, { labelled: false }) };
  assert.match(await train(bare).catch((e) => e.message), /the batches of the source have no labels/);
  for (const thing of [...own, ...sets, bare.source]) thing.dispose();
});

/** A network on feature vectors. */
class Vectors extends Module<{ logits: Tensor; features: Tensor }> {
  readonly body: Sequential;
  readonly head: Linear;

  constructor(gpu: Gpu, { numClasses, shape: [dim], random }: ModelSpec) {
    super();
    this.body = new Sequential(new Linear(gpu, { inFeatures: dim!, outFeatures: 16, random }), new Sigmoid());
    this.head = new Linear(gpu, { inFeatures: 16, outFeatures: numClasses, random });
  }

  forward(x: Tensor) {
    const features = this.body.forward(x);
    return { logits: this.head.forward(features), features };
  }
}

gpuTest('feature vectors are adapted as images are', async (gpu) => {
  // Each class is a direction of its own; the target is shifted.
  const vectors = (count: number, seed: number, classes: number, shift: number): HostFeatures => {
    const random = seeded(seed);
    const labels = Uint16Array.from({ length: count }, (_, i) => i % classes);
    const features = Float32Array.from({ length: 6 * count }, (_, i) =>
      i % 6 === labels[Math.floor(i / 6)]! ? 2 + shift : random() - 0.5 + shift,
    );
    return { features, labels, count, dim: 6 };
  };
  const test = vectors(50, 3, 2, 0.3);
  const { result, trainer } = await train({
    ...{ gpu, source: vectors(200, 1, 4, 0), target: vectors(100, 2, 2, 0.3), targetTest: test },
    ...{ method: pada({ classWeightUpdateSteps: 20 }), batchSize: 16, iterations: 100, lr: 0.1 },
    model: (gpu, spec) => new Vectors(gpu, spec),
  });
  assert.ok(result.targetAccuracy! > 90, `${result.targetAccuracy} %`);
  const { labels } = await predict(gpu, { data: test, model: trainer.model });
  assert.is(labels.length, 50);
  const wrong = await trainer.evaluate(stripes(10, 1)).catch((e) => e.message);
  assert.match(wrong, /source examples are 6 numbers but those of the test set are 16x16/);
  trainer.dispose();
  const settings = { gpu, source: vectors(200, 1, 4, 0), method: sourceOnly() };
  assert.match(await train(settings).catch((e) => e.message), /SmallCnn: examples are \[6\]; it needs images/);
});

gpuTest("a module stays its owner's, and is refused where another device would need a new one", async (gpu) => {
  const model = new Net(gpu, { numClasses: 4, shape: [1, 16, 16], random: new Random(0) });
  const settings = { ...stripesData(), gpu, method: pada(), batchSize: 8, iterations: 3, model };
  // Trained twice: first on the source, then adapted.
  for (const method of [sourceOnly(), pada()]) {
    const { trainer } = await train({ ...settings, method });
    assert.is(trainer.model, model);
    trainer.dispose();
  }
  const { labels } = await predict(gpu, { data: stripes(10, 1), model });
  assert.is(labels.length, 10);
  const error = await train({ ...settings, reopen: async () => gpu }).catch((e) => e);
  assert.match(error.message, /model is a module, which another device cannot take over; with reopen, pass a function/);
  model.dispose();
});

run();
