import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { domainLoss } from '../../src/ops/domainLoss.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run, type Tolerance } from '../harness.ts';

const CASES: [number, number][] = [
  [1, 1],
  [32, 31],
  [64, 64],
  [65, 127],
  [1009, 64],
];
const tolerance: Tolerance = { rtol: 2e-6, atol: 1e-6 };
const surprise = (q: number): number => Math.min(-Math.log(q), 100);

function reference(reduction: string, sources: number, p: Float64Array, w: ArrayLike<number>): Reference {
  const l = Array.from(p, (v, i) => w[i]! * surprise(i < sources ? v : 1 - v));
  if (reduction === 'none')
    return {
      shape: [sources, 1],
      data: Float64Array.from({ length: sources }, (_, i) => 0.5 * (l[i]! + l[sources + i]!)),
    };
  const total = (part: number[]) => part.reduce((a, v) => a + v, 0) / (reduction === 'mean' ? part.length : 1);
  return { shape: [], data: Float64Array.of(0.5 * (total(l.slice(0, sources)) + total(l.slice(sources)))) };
}

for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const weighted of [false, true]) {
    for (const [sources, targets] of reduction === 'none' ? CASES.filter(([s, t]) => s === t) : CASES) {
      checkOp(
        `domainLoss ${reduction} ${weighted ? 'weighted' : 'plain'} ${sources}+${targets}`,
        ([p], [source, target]) =>
          domainLoss(p!, { sources, reduction, ...(weighted && { weights: { source: source!, target: target! } }) })
            .loss,
        ([p], [source, target]) =>
          reference(
            reduction,
            sources,
            p!.data,
            weighted ? [...Array.from(source!), ...Array.from(target!)] : new Array(sources + targets).fill(1),
          ),
        {
          shapes: [[[sources + targets, 1]]],
          fill: (shape, random) => Float32Array.from({ length: shape[0]! }, () => 0.02 + 0.96 * random()),
          extra: (_, random) => [
            Float32Array.from({ length: sources }, random),
            Float32Array.from({ length: targets }, random),
          ],
          ...tolerance,
        },
      );
    }
  }
}

gpuTest('domainLoss clamps the logarithm at -100, counts right answers and passes NaN on', async (gpu) => {
  const ask = async (p: number[]) => {
    const { loss, accuracy } = tidy(() => domainLoss(tensor(gpu, p, [4, 1]), { sources: 2 }));
    const result = [await loss.item(), await accuracy.item()];
    loss.dispose();
    accuracy.dispose();
    return result;
  };
  assert.equal(await ask([0, 1, 1, 0]), [50, 50]);
  assert.equal(await ask([1, 1, 0, 0]), [0, 100]);
  assert.ok(Number.isNaN((await ask([Number.NaN, 1, 0, 0]))[0]));
  // A quarter of the loss each: of 1e-45 the logarithm is below -100, of 1e-40 it is -92.1, of -0.5 there is none.
  assert.is((await ask([1e-45, 1, 0, 0]))[0], 25);
  assertClose('loss of 1e-40', [(await ask([1e-40, 1, 0, 0]))[0]!], [92.1034 / 4], { rtol: 1e-5, atol: 0 });
  assert.ok(Number.isNaN((await ask([-0.5, 1, 0, 0]))[0]));
  assert.ok(Number.isNaN((await ask([1, 1, 0, 1.5]))[0]));
});

gpuTest('domainLoss takes a probability of exactly a half for source', async (gpu) => {
  for (const [p, sources, expected] of [
    [[0.5, 0.5], 1, 50],
    [[0.5, 0.1], 1, 100],
    [[0.9, 0.5], 1, 50],
    [[0.5, 0.5, 0.5, 0.4], 2, 75],
  ] as const) {
    const { loss, accuracy } = tidy(() => domainLoss(tensor(gpu, p, [p.length, 1]), { sources }));
    assert.is(await accuracy.item(), expected, `${p}`);
    for (const t of [loss, accuracy]) t.dispose();
  }
});

// PyTorch divides by max(p (1 - p), 1e-12).
gpuTest('domainLoss has the gradient of PyTorch at and next to 0 and 1', async (gpu) => {
  const tiny = 1e-9;
  const p = tensor(gpu, [1, 0, tiny, 0.5, 1, 0, tiny, 1e-13], [8, 1]);
  p.requiresGrad = true;
  const { loss, accuracy } = tidy(() => {
    const result = domainLoss(p, { sources: 4, reduction: 'sum' });
    backward(result.loss);
    return result;
  });
  const source = [0, -0.5e12, -0.5 / tiny, -1];
  const target = [0.5e12, 0, 0.5, 0.05];
  assertClose('gradient', await p.grad!.read(), [...source, ...target], { rtol: 1e-5, atol: 0 });
  for (const t of [p.grad!, p, loss, accuracy]) t.dispose();
});

gpuTest('domainLoss refuses what does not fit', (gpu) => {
  tidy(() => {
    const p = tensor(gpu, [0.5, 0.5, 0.5], [3, 1]);
    assert.throws(() => domainLoss(p, { sources: 3 }), /sources is 3 but p has 3 rows; both domains need at least one/);
    assert.throws(
      () => domainLoss(p, { sources: 1, reduction: 'none' }),
      /pairs source with target, but there are 1 and 2/,
    );
    assert.throws(() => domainLoss(tensor(gpu, [0.5, 0.5]), { sources: 1 }), /p must be \[2,1\] but is \[2\]/);
    const weights = { source: tensor(gpu, [1, 1]), target: tensor(gpu, [1, 1]) };
    assert.throws(() => domainLoss(p, { sources: 1, weights }), /weights.source must be \[1\] but is \[2\]/);
    assert.throws(
      () => domainLoss(p, { sources: 1, weights: { source: p } as never }),
      /domainLoss: weights: target is missing/,
    );
    assert.throws(() => domainLoss(p, 1 as never), /domainLoss: expected an options object.*\{ sources: 1 \}/);
  });
});

run();
