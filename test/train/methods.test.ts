import * as assert from 'uvu/assert';
import {
  afnIteration,
  crossEntropy,
  crossEntropyBackward,
  iwanIteration,
  padaIteration,
  passOf,
  relativeToLargest,
  type State,
  smallCnn,
  targetLossIteration,
} from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { Dataset, ImageDataset } from '../../src/data/dataset.ts';
import type { HostFeatures } from '../../src/data/host.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { ModelSpec } from '../../src/models/model.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import { BatchNorm1d, Dropout, Flatten, Linear, Module, Sequential, Sigmoid } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { sizeOf } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { train } from '../../src/train/loop.ts';
import { withTargetLosses } from '../../src/train/methods/additions.ts';
import { afn } from '../../src/train/methods/afn.ts';
import { dann } from '../../src/train/methods/dann.ts';
import { iwan } from '../../src/train/methods/iwan.ts';
import { mcc } from '../../src/train/methods/mcc.ts';
import type { Method } from '../../src/train/methods/method.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { sourceOnly } from '../../src/train/methods/sourceOnly.ts';
import { predict } from '../../src/train/predict.ts';
import { assertClose, gpuTest, integers, run, seeded, uniform } from '../harness.ts';
import { stripes, stripesData, stripesSettings } from './stripes.ts';

// Methods by themselves, without a Trainer, and a network of the user's own through `train`.

const [N, CLASSES, F, SIZE] = [8, 4, 16, 16];
const ITERATION = 700;
const COEFFICIENT = 2 / (1 + Math.exp(-ITERATION / 1000)) - 1;
const WEIGHT = [1, 0.2, 0, 0.5];
const TRADE_OFF = 0.7;

/** One iteration of a method on random images: its losses, the gradients of all parameters, and what went in. */
async function iterate(gpu: Gpu, method: Method) {
  const random = seeded(3);
  const source = { shape: [N, 1, SIZE, SIZE], data: uniform([N, 1, SIZE, SIZE], random) };
  const target = { shape: source.shape, data: uniform(source.shape, random) };
  const labels = integers(N, CLASSES, random);
  const model = new SmallCnn(gpu, {
    numClasses: CLASSES,
    shape: [1, SIZE, SIZE],
    featuresDim: F,
    random: new Random(1),
  });
  const data = new ImageDataset(gpu, stripes(N, 1), N, { labelled: false });
  const setup = { gpu, model, featuresDim: F, numClasses: CLASSES, target: data, random: new Random(2), eager: true };
  const recipe = method.begin(setup);
  // Without dropout, whose random numbers the reference does not have.
  for (const network of Object.values(recipe.networks ?? {}))
    for (const [, module] of network.namedModules()) if (module instanceof Dropout) module.eval();
  const networks: [string, Module<unknown>][] = [['model', model], ...Object.entries(recipe.networks ?? {})];
  const state: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  const named = networks.flatMap(([prefix, network]) =>
    [...network.namedParameters()].map(([name, p]) => [`${prefix}.${name}`, p] as const),
  );
  for (const [name, p] of named) state[name] = { shape: p.shape, data: await p.read() };
  recipe.classWeights?.loadStateDict(
    new Map([
      ['weight', { shape: [CLASSES], data: Float32Array.from(WEIGHT) }],
      ['steps', { shape: [], data: BigInt64Array.of(0n) }],
    ]),
  );
  recipe.advance?.(ITERATION);
  const losses = tidy(() => {
    const x = tensor(gpu, target.data, target.shape);
    const made = recipe.losses({
      source: { x: tensor(gpu, source.data, source.shape), labels: tensor(gpu, labels) },
      target: { x, labels: null },
      plainTarget: x,
    });
    backward(made.loss);
    return made;
  });
  const read: Record<string, number> = {};
  const { targetLogits: _, ...figures } = losses;
  for (const [name, x] of Object.entries(figures)) read[name] = await (x as Tensor).item();
  const gradients: Record<string, Float32Array> = {};
  for (const [name, p] of named) gradients[name] = await p.grad!.read();
  for (const x of [...Object.values(figures), data, model, recipe.classWeights]) (x as Tensor | undefined)?.dispose();
  for (const [, network] of networks) network.dispose();
  recipe.dispose?.();
  return { losses: read, gradients, state, batch: { source, target, labels: { shape: [N], data: labels } } };
}

type Iteration = Awaited<ReturnType<typeof iterate>>;

/** Compares gradients with the reference's. The bias before a batch norm has a gradient of zero, up to the rounding of its terms. */
function assertGradients(
  gradients: Record<string, Float32Array>,
  expected: Record<string, { data: ArrayLike<number> }>,
): void {
  assert.equal(Object.keys(gradients).sort(), Object.keys(expected).sort());
  for (const [name, gradient] of Object.entries(gradients)) {
    const { data } = expected[name]!;
    const weight = expected[name.replace(/bias$/, 'weight')]!.data;
    const { atol } = relativeToLargest([...Array.from(data), ...Array.from(weight)], 1e-4);
    assertClose(name, gradient, data, { rtol: 1e-3, atol });
  }
}

for (const method of [pada({ tradeOff: TRADE_OFF }), dann({ tradeOff: TRADE_OFF })]) {
  gpuTest(`${method.name}: losses and gradients are those of reference/`, async (gpu) => {
    const { losses, gradients, state, batch } = await iterate(gpu, method);
    const expected = padaIteration(state, batch, {
      classWeight: method.name === 'pada' ? { shape: [CLASSES], data: WEIGHT } : null,
      coefficient: COEFFICIENT,
      tradeOff: TRADE_OFF,
    });
    for (const name of ['loss', 'classLoss', 'transferLoss', 'domainAccuracy'] as const)
      assertClose(name, [losses[name]!], [expected[name]], { rtol: 1e-5, atol: 1e-6 });
    assertGradients(gradients, expected.gradients);
  });
}

type Expected = { loss: number; classLoss: number; transferLoss?: number; gradients: State };
const OTHERS: [title: string, method: Method, (state: State, batch: Iteration['batch']) => Expected][] = [
  [
    'afn',
    afn({ tradeOffNorm: 0.3, delta: 0.7, tradeOffEntropy: 0.2 }),
    (state, batch) => afnIteration(state, batch, { tradeOffNorm: 0.3, delta: 0.7, entropy: 0.2 }),
  ],
  [
    'mcc',
    mcc({ tradeOff: TRADE_OFF, temperature: 1.5 }),
    (state, batch) => targetLossIteration(state, batch, { mcc: TRADE_OFF, mccTemperature: 1.5 }),
  ],
  [
    'iwan',
    iwan({ tradeOff: TRADE_OFF, gamma: 0.2 }),
    (state, batch) => iwanIteration(state, batch, { tradeOff: TRADE_OFF, gamma: 0.2, coefficient: COEFFICIENT }),
  ],
  [
    'mcc with all added losses',
    withTargetLosses(mcc({ tradeOff: 0 }), { mccWeight: 0.3, alphaPowerWeight: 0.4, entropyWeight: 0.2 }),
    (state, batch) =>
      targetLossIteration(state, batch, { mcc: 0.3, mccTemperature: 2.5, alphaPower: 0.4, entropy: 0.2 }),
  ],
];
for (const [title, method, truth] of OTHERS) {
  gpuTest(`${title}: losses and gradients are those of reference/`, async (gpu) => {
    const { losses, gradients, state, batch } = await iterate(gpu, method);
    const { gradients: expected, ...figures } = truth(state, batch);
    for (const [name, figure] of Object.entries(figures))
      assertClose(name, [losses[name]!], [figure], { rtol: 1e-5, atol: 1e-6 });
    assertGradients(gradients, expected);
  });
}

gpuTest(
  'losses can be added to a method that does not use the target; without a weight nothing is added',
  async (gpu) => {
    assert.is(withTargetLosses(sourceOnly(), { mccWeight: 0 }).usesTarget, false);
    const method = withTargetLosses(sourceOnly(), { entropyWeight: 0.5 });
    assert.is(method.usesTarget, true);
    const { losses } = await iterate(gpu, method);
    assert.ok(losses.transferLoss! > 0 && losses.transferLoss! < 0.5 * Math.log(CLASSES) + 1e-5);
    assertClose('loss', [losses.loss!], [losses.classLoss! + losses.transferLoss!], { rtol: 1e-6, atol: 0 });
    assert.throws(() => withTargetLosses(sourceOnly(), { entropy: 1 } as never), /unknown option entropy/);
    assert.throws(() => iwan({ gama: 1 } as never), /iwan: unknown option gama; did you mean gamma\?/);
    assert.throws(() => afn({ tradeOffNorm: -1 }), /tradeOffNorm must be a number >= 0/);
  },
);

gpuTest('source-only: the loss and its gradients are those of the source batch in reference/', async (gpu) => {
  const { losses, gradients, state, batch } = await iterate(gpu, sourceOnly());
  const pass = passOf(state);
  const { features, head } = smallCnn(pass, batch.source, { prefix: 'model.' });
  features.backward(head.backward(crossEntropyBackward(head.y, batch.labels)));
  const { data } = crossEntropy(head.y, batch.labels);
  assertClose('loss', [losses.loss!, losses.classLoss!], [data[0]!, data[0]!], { rtol: 1e-5, atol: 1e-6 });
  assertGradients(gradients, pass.gradients);
});

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
