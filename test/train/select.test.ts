import * as assert from 'uvu/assert';
import { agreements, dev, informationMaximisation, meanEntropy, pickRun, snd, softmax } from '../../reference/index.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { smallCnn } from '../../src/models/smallCnn.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { predict } from '../../src/train/predict.ts';
import { densityRatios, SAMPLE, sampleOf, scoreTarget } from '../../src/train/scores.ts';
import { deepEmbeddedValidation, picksOf, type Selection, Selector } from '../../src/train/select.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';
import { stripes } from './stripes.ts';

// Golden files compare small probabilities with PyTorch. Here: sizes that use several workgroups, DEV, and that no target label counts.

gpuTest('entropy, information maximisation and SND of many rows equal their formulas', async (own) => {
  // A GPU shares a row among lanes.
  const asGpu = await createGpu({ ...own.options, kind: 'gpu', gemm: 'workgroup' });
  for (const [gpu, shape] of [
    [own, [130, 3]],
    [own, [1, 7]],
    [asGpu, [130, 3]],
  ] as const) {
    const p = softmax({ shape, data: uniform(shape, seeded(1), 4) });
    const x = tensor(gpu, Float32Array.from(p.data), shape);
    const scores = await scoreTarget(x);
    x.dispose();
    assertClose('entropy', [scores.entropy], [meanEntropy(p)], { rtol: 1e-5, atol: 1e-6 });
    assertClose('information', [scores.informationMaximisation], [informationMaximisation(p)], { atol: 1e-5 });
    assertClose('snd', [scores.snd], [snd(p)], { rtol: 1e-4, atol: 1e-5 });
  }
  asGpu.dispose();
});

gpuTest('SND of a large target is that of a fixed sample of its rows', async (gpu) => {
  const [n, cols] = [SAMPLE + 9, 2];
  const rows = [...sampleOf(n)];
  assert.equal(new Set(rows).size, SAMPLE);
  assert.equal(rows, [...sampleOf(n)]);
  const p = softmax({ shape: [n, cols], data: uniform([n, cols], seeded(2), 4) });
  const x = tensor(gpu, Float32Array.from(p.data), [n, cols]);
  const scores = await scoreTarget(x);
  x.dispose();
  const sampled = { shape: [SAMPLE, cols], data: rows.flatMap((r) => [p.data[cols * r]!, p.data[cols * r + 1]!]) };
  assertClose('snd', [scores.snd], [snd(sampled)], { rtol: 1e-3 });
});

gpuTest('density ratios of two Gaussians follow their densities', async (gpu) => {
  const random = seeded(3);
  // The sum of twelve uniform numbers, less six, is nearly normal.
  const normal = (n: number, mean: number) =>
    Float32Array.from({ length: n }, () => Array.from({ length: 12 }, random).reduce((a, b) => a + b, mean - 6));
  const features = {
    source: tensor(gpu, normal(600, 0), [600, 1]),
    target: tensor(gpu, normal(300, 1), [300, 1]),
    at: tensor(gpu, Float32Array.of(-1, 0, 1, 2), [4, 1]),
  };
  const ratios = await densityRatios(gpu, features);
  for (const x of Object.values(features)) x.dispose();
  // N(1, 1) : N(0, 1) at x is exp(x - 1/2).
  assertClose('ratios', ratios.map(Math.log), [-1.5, -0.5, 0.5, 1.5], { atol: 0.3 });
});

gpuTest('DEV is its formula, and the mean error if the ratios do not vary', () => {
  const errors = [1, 0, 0, 1, 1];
  const ratios = [0.5, 2, 1.5, 0.25, 3];
  assertClose('dev', [deepEmbeddedValidation(errors, Float64Array.from(ratios))], [dev(errors, ratios)], {
    rtol: 1e-12,
  });
  assertClose('dev', [deepEmbeddedValidation(errors, new Float64Array(5).fill(1))], [0.6], { rtol: 1e-12 });
});

gpuTest('agreement first, entropy second: the lowest entropy among runs within the margin', () => {
  const random = seeded(4);
  for (let k = 0; k < 50; k++) {
    const runs = Array.from({ length: 4 }, () => ({
      ...{ agreement: random() / 20, entropy: random(), sourceAccuracy: random() },
    }));
    const others = { informationMaximisation: 0, snd: 0, dev: null };
    const picks = picksOf(runs.map((one) => ({ ...one, ...others })));
    const expected = pickRun(
      ...((['agreement', 'entropy'] as const).map((name) => runs.map((one) => one[name])) as [number[], number[]]),
      0.02,
    );
    assert.is(picks['agreement-entropy'], expected);
    const most = Math.max(...runs.map(({ sourceAccuracy }) => sourceAccuracy));
    assert.is(runs[picks['source-accuracy']!]!.sourceAccuracy, most);
    assert.equal([picks.dev, picks.snd], [null, 0]);
  }
});

/** Scores two untrained models. */
async function selection(gpu: Gpu, labels: Uint8Array | undefined): Promise<Selection> {
  const { labels: truths, ...bare } = stripes(40, 2, { classes: 2 });
  const target = labels ? { ...bare, labels } : bare;
  const sourceTest = stripes(30, 3);
  const selector = new Selector(gpu, { target, source: stripes(60, 1), sourceTest });
  const accuracies: number[] = [];
  for (const seed of [1, 2]) {
    const model = smallCnn(gpu, { shape: [1, 16, 16], numClasses: 4, random: new Random(seed) });
    await selector.add(`seed ${seed}`, model);
    assert.is(model.training, true);
    const { labels: predicted } = await predict(gpu, { data: sourceTest, model });
    accuracies.push((100 * predicted.filter((label, i) => label === sourceTest.labels![i]).length) / 30);
    model.dispose();
  }
  assert.is(truths!.length, 40);
  const chosen = selector.choose();
  const found = chosen.scores.map(({ sourceAccuracy }) => sourceAccuracy!);
  assertClose('source accuracy', found, accuracies, { rtol: 1e-12 });
  return chosen;
}

gpuTest('no target label reaches a score or a pick', async (gpu) => {
  const without = await selection(gpu, undefined);
  // Labels that name no class would be refused wherever labels are read.
  const poisoned = await selection(gpu, new Uint8Array(40).fill(255));
  assert.equal(poisoned, without);
  const { scores, picks } = without;
  assert.equal(
    scores.map(({ name }) => name),
    ['seed 1', 'seed 2'],
  );
  for (const { agreement, entropy, dev, sourceAccuracy, labels } of scores) {
    assert.ok(agreement >= 0 && agreement <= 1 && entropy > 0 && Number.isFinite(dev));
    assert.ok(sourceAccuracy! >= 0 && sourceAccuracy! <= 100);
    assert.is(labels.length, 40);
  }
  const probabilities = scores.map(({ labels }) => ({
    shape: [40, 4],
    data: [...labels].flatMap((l) => [0, 1, 2, 3].map((c) => Number(c === l))),
  }));
  assertClose(
    'agreement',
    scores.map(({ agreement }) => agreement),
    agreements(probabilities),
    { rtol: 1e-12 },
  );
  assert.ok(Object.values(picks).every((pick) => pick! >= 0 && pick! < 2));
});

gpuTest('a selector refuses what it cannot compare', async (gpu) => {
  const target = stripes(10, 2);
  const selector = new Selector(gpu, { target });
  const model = (numClasses: number) => smallCnn(gpu, { shape: [1, 16, 16], numClasses, random: new Random(1) });
  const [one, other] = [model(4), model(3)];
  await selector.add('one', one);
  assert.throws(
    () => selector.choose(),
    /^Selector.choose: there is nothing to choose from; add two or more models, not 1$/,
  );
  const refused = await selector.add('other', other).then(String, (error) => error.message);
  assert.match(refused, 'Selector.add: other has 3 classes, but the models before have 4');
  await selector.add('again', one.eval());
  const { scores, picks } = selector.choose({ margin: 0 });
  assert.is(scores[0]!.entropy, scores[1]!.entropy, 'a model in training mode is scored as in eval mode');
  assert.equal(
    [scores[0]!.agreement, picks['agreement-entropy'], picks.dev, picks['source-accuracy'], scores[0]!.sourceAccuracy],
    [1, 0, null, null, null],
  );
  for (const held of [one, other]) held.dispose();
});

run();
