import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { domainLoss } from '../../src/ops/domainLoss.ts';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, assertSameBits, gpuTest, integers, run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, nan } from './check.ts';

for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const weighted of [false, true]) {
    for (const [sources, targets] of [
      [1, 1],
      [32, 31],
      [64, 64],
      [65, 127],
      [1009, 64],
    ] as const) {
      if (reduction === 'none' && sources !== targets) continue;
      const options = { sources, reduction };
      checkOp(
        `domainLoss ${reduction}${weighted ? ', weighted,' : ''} ${sources} + ${targets}`,
        (p, source, target) =>
          domainLoss(p!, { ...options, ...(weighted && { weights: { source: source!, target: target! } }) }).loss,
        (p, source, target) => {
          const weights = weighted ? { source: source!, target: target! } : undefined;
          const { loss } = reference.domainLoss(p!, { ...options, weights });
          return reduction === 'none' ? reference.reshape(loss, [sources, 1]) : loss;
        },
        {
          shapes: [`${sources + targets}x1`],
          fill: between(0.02, 0.98),
          extra: (_, random) => [between(0, 1)([sources], random), between(0, 1)([targets], random)],
          rtol: 2e-6,
        },
      );
    }
  }
}

for (const [sources, targets, reduction] of [
  [1, 1, 'mean'],
  [64, 64, 'none'],
  [65, 127, 'sum'],
  [1009, 64, 'mean'],
] as const) {
  const options = { sources, reduction, logits: true };
  checkOp(
    `domainLoss of logits with weights of classes, ${reduction} ${sources} + ${targets}`,
    (z, classWeight, labels) =>
      domainLoss(z!, { ...options, weights: { classWeight: classWeight!, labels: labels! } }).loss,
    (z, classWeight, labels) => {
      const { source, target: each } = reference.domainWeights(classWeight!, labels!);
      const target = { shape: [targets], data: new Float64Array(targets).fill(each.data[0]!) };
      const { loss } = reference.domainLoss(reference.sigmoid(z!), { sources, reduction, weights: { source, target } });
      return reduction === 'none' ? reference.reshape(loss, [sources, 1]) : loss;
    },
    {
      shapes: [`${sources + targets}x1`],
      fill: between(-4, 4),
      extra: (_, random) => [between(0, 1)([7], random), integers(sources, 7, random)],
      rtol: 2e-6,
    },
  );
}

gpuTest('domainLoss of logits is that of their probabilities, bit for bit, also at the ends', async (gpu) => {
  const z = [200, -200, 0, nan, 3, -200, 200, 1e-3].map((v) => [v]);
  const bits = async (logits: boolean) => {
    const leaf = tensor(gpu, z);
    leaf.requiresGrad = true;
    const { loss, accuracy } = tidy(() => {
      const both = domainLoss(logits ? leaf : sigmoid(leaf), { sources: 4, reduction: 'none', logits });
      backward(both.loss, tensor(gpu, [1, 2, 3, 4], [4, 1]));
      return both;
    });
    const read = await Promise.all([loss, accuracy, leaf.grad!].map((x) => x.read()));
    for (const x of [loss, accuracy, leaf.grad!, leaf]) x.dispose();
    return read;
  };
  const [fused, apart] = [await bits(true), await bits(false)];
  for (const [i, what] of ['loss', 'accuracy', 'gradient'].entries()) assertSameBits(what, fused[i]!, apart[i]!);
});

gpuTest('domainLoss: a label without a class makes the loss NaN', async (gpu) => {
  for (const [label, missing] of [
    [2, false],
    [3, true],
  ] as const) {
    const loss = tidy(() => {
      const weights = { classWeight: tensor(gpu, [1, 0.5, 0.2]), labels: tensor(gpu, Uint32Array.of(0, label)) };
      return domainLoss(tensor(gpu, [0.5, 0.5, 0.5], [3, 1]), { sources: 2, weights }).loss;
    });
    assert.is(Number.isNaN(await loss.item()), missing);
    loss.dispose();
  }
});

/** The loss and the percentage of right answers, without weights. */
async function ask(gpu: Gpu, p: readonly number[], sources: number): Promise<[loss: number, accuracy: number]> {
  const { loss, accuracy } = tidy(() => domainLoss(tensor(gpu, p, [p.length, 1]), { sources }));
  const result: [number, number] = [await loss.item(), await accuracy.item()];
  for (const t of [loss, accuracy]) t.dispose();
  return result;
}

gpuTest('domainLoss clamps the logarithm at -100, counts right answers and passes NaN on', async (gpu) => {
  assert.equal(await ask(gpu, [0, 1, 1, 0], 2), [50, 50]);
  assert.equal(await ask(gpu, [1, 1, 0, 0], 2), [0, 100]);
  // Each is a quarter of the loss. The logarithm of 1e-45 is below -100, that of 1e-40 is -92.1, that of -0.5 does not exist.
  for (const [p, expected] of [
    [[1e-45, 1, 0, 0], 25],
    [[1e-40, 1, 0, 0], 92.1034 / 4],
    [[nan, 1, 0, 0], nan],
    [[-0.5, 1, 0, 0], nan],
    [[1, 1, 0, 1.5], nan],
  ] as const)
    assertClose(`loss of ${p}`, [(await ask(gpu, p, 2))[0]], [expected], { rtol: 1e-5 });
});

gpuTest('domainLoss takes a probability of exactly a half for source', async (gpu) => {
  for (const [p, sources, expected] of [
    [[0.5, 0.5], 1, 50],
    [[0.5, 0.1], 1, 100],
    [[0.9, 0.5], 1, 50],
    [[0.5, 0.5, 0.5, 0.4], 2, 75],
  ] as const)
    assert.is((await ask(gpu, p, sources))[1], expected, `${p}`);
});

// PyTorch divides by max(p (1 - p), 1e-12).
const tiny = 1e-9;
checkValues(
  "domainLoss has PyTorch's gradient at and next to 0 and 1",
  (p) => domainLoss(p!, { sources: 4, reduction: 'sum' }).loss,
  {
    inputs: [[1, 0, tiny, 0.5, 1, 0, tiny, 1e-13].map((v) => [v])],
    gradients: [[0, -0.5e12, -0.5 / tiny, -1, 0.5e12, 0, 0.5, 0.05]],
    rtol: 1e-5,
  },
);

checkArguments('domainLoss', domainLoss, { p: 'f32 2x1' }, { options: { sources: 1 } });
checkRefusals('domainLoss', (gpu) => {
  const p = tensor(gpu, [0.5, 0.5, 0.5], [3, 1]);
  const weights = { source: tensor(gpu, [1, 1]), target: tensor(gpu, [1, 1]) };
  return [
    [() => domainLoss(p, { sources: 3 }), /sources is 3 but p has 3 rows; both domains need at least one/],
    [() => domainLoss(p, { sources: 1, reduction: 'none' }), /pairs source with target, but there are 1 and 2/],
    [() => domainLoss(tensor(gpu, [0.5, 0.5]), { sources: 1 }), /p must be \[2,1\] but is \[2\]/],
    [() => domainLoss(p, { sources: 1, weights }), /weights.source must be \[1\] but is \[2\]/],
    [() => domainLoss(p, { sources: 1, weights: { source: p } as never }), /domainLoss: weights: target is missing/],
    [
      () => domainLoss(p, { sources: 2, weights: { classWeight: p, labels: p } }),
      /weights.classWeight must be \[3\] but is \[3,1\]/,
    ],
    [
      () => domainLoss(p, { sources: 1, weights: { classWeight: tensor(gpu, [1]), labels: tensor(gpu, [1]) } }),
      /weights.labels must be u32 but is f32/,
    ],
    [() => domainLoss(p, 1 as never), /domainLoss: expected an options object.*\{ sources: 1 \}/],
  ];
});

run();
