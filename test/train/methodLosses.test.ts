import * as assert from 'uvu/assert';
import {
  afnIteration,
  ba3usIteration,
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
import { backward, noGrad } from '../../src/autograd.ts';
import { Dataset, ImageDataset } from '../../src/data/dataset.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import { Dropout, type Module } from '../../src/nn/index.ts';
import { add } from '../../src/ops/add.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { withTargetLosses } from '../../src/train/methods/additions.ts';
import { afn } from '../../src/train/methods/afn.ts';
import { ba3us } from '../../src/train/methods/ba3us.ts';
import { dann } from '../../src/train/methods/dann.ts';
import { iwan } from '../../src/train/methods/iwan.ts';
import { mcc } from '../../src/train/methods/mcc.ts';
import type { Method } from '../../src/train/methods/method.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { sourceOnly } from '../../src/train/methods/sourceOnly.ts';
import { assertClose, gpuTest, integers, run, seeded, uniform } from '../harness.ts';
import { stripes } from './stripes.ts';

// One iteration of each method by itself, without a Trainer: its losses and the gradients of all parameters.

const [N, CLASSES, F, SIZE] = [8, 4, 16, 16];
const ITERATION = 770;
const COEFFICIENT = 2 / (1 + Math.exp(-ITERATION / 1000)) - 1;
const WEIGHT = [1, 0.2, 0, 0.5];
const TRADE_OFF = 0.7;

/** A source whose batches always have the same examples first. */
class Fixed extends Dataset {
  readonly shape = [1, SIZE, SIZE];
  /** Where in the order the last batch begins. */
  offset: number | undefined;

  constructor(
    gpu: Gpu,
    readonly images: { shape: readonly number[]; data: Float32Array },
    readonly labels: Uint32Array,
  ) {
    super(gpu, N, N);
  }

  batch({ size, offset }: Parameters<Dataset['batch']>[0]) {
    this.offset = Number(offset instanceof Scalar ? offset.value : offset);
    const x = tensor(this.gpu, this.images.data.subarray(0, size * SIZE * SIZE), [size, ...this.shape]);
    return { x, labels: tensor(this.gpu, this.labels.slice(0, size)) };
  }

  /** The first examples on the host. */
  first(size: number) {
    const data = this.images.data.subarray(0, size * SIZE * SIZE);
    return {
      images: { shape: [size, ...this.shape], data },
      labels: { shape: [size], data: this.labels.slice(0, size) },
    };
  }
}

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
  const further = new Fixed(
    gpu,
    { shape: source.shape, data: uniform(source.shape, random) },
    integers(N, CLASSES, random),
  );
  const recipe = method.begin({
    ...{ gpu, model, featuresDim: F, numClasses: CLASSES, source: further, target: data, random: new Random(2) },
    ...{ batchSize: N, iterations: 1000, eager: true },
  });
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
  for (const iteration of [ITERATION - 1, ITERATION]) recipe.advance?.(iteration);
  const losses = tidy(() => {
    const x = tensor(gpu, target.data, target.shape);
    const made = recipe.losses({
      source: { x: tensor(gpu, source.data, source.shape), labels: tensor(gpu, labels) },
      target: { x, labels: null },
      plainTarget: x,
    });
    backward(made.loss);
    return { ...made, loss: noGrad(() => [made.loss].flat().reduce((a, b) => add(a, b))) };
  });
  const read: Record<string, number> = {};
  const { targetLogits: _, ...figures } = losses;
  for (const [name, x] of Object.entries(figures)) read[name] = await (x as Tensor).item();
  const gradients: Record<string, Float32Array> = {};
  for (const [name, p] of named) gradients[name] = await p.grad!.read();
  for (const x of [
    ...Object.values(figures),
    ...Object.values(recipe.state ?? {}),
    data,
    further,
    model,
    recipe.classWeights,
  ])
    (x as Tensor | undefined)?.dispose();
  for (const [, network] of networks) network.dispose();
  recipe.dispose?.();
  const batch = { source, target, labels: { shape: [N], data: labels } };
  return { losses: read, gradients, state, batch, further };
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
const OTHERS: [title: string, method: Method, (state: State, batch: Iteration['batch'], further: Fixed) => Expected][] =
  [
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
      'ba3us',
      ba3us({ tradeOff: TRADE_OFF, gamma: 0.2, cotWeight: 0.3, mu: 2 }),
      (state, batch, further) => {
        assert.is(further.offset, 4, 'the second iteration has other further images');
        const classWeight = { shape: [CLASSES], data: WEIGHT };
        return ba3usIteration(
          state,
          { ...batch, further: further.first(4) },
          {
            // After 7 of 10 updates 4 · 0.3 further images count, rounded down.
            ...{ counted: 1, coefficient: 2 / (1 + Math.exp(-7.7)) - 1, classWeight },
            ...{ tradeOff: TRADE_OFF, gamma: 0.2, cotWeight: 0.3 },
          },
        );
      },
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
    const { losses, gradients, state, batch, further } = await iterate(gpu, method);
    const { gradients: expected, ...figures } = truth(state, batch, further);
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

run();
