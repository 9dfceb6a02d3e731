import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { binaryCrossEntropy } from '../../src/ops/binaryCrossEntropy.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run } from '../harness.ts';

const surprise = (q: number): number => Math.min(-Math.log(q), 100);

function reference(
  { shape, data }: Reference,
  t: ArrayLike<number>,
  w: ArrayLike<number>,
  reduction: string,
): Reference {
  const l = data.map((p, i) => w[i]! * (t[i]! * surprise(p) + (1 - t[i]!) * surprise(1 - p)));
  if (reduction === 'none') return { shape, data: l };
  const total = l.reduce((a, v) => a + v, 0);
  return { shape: [], data: Float64Array.of(reduction === 'mean' ? total / l.length : total) };
}

for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const weighted of [false, true]) {
    checkOp(
      `binaryCrossEntropy ${reduction} ${weighted ? 'weighted' : 'plain'}`,
      ([p], [target, weight]) => binaryCrossEntropy(p!, target!, { reduction, ...(weighted && { weight: weight! }) }),
      ([p], [t, w]) => reference(p!, t!, weighted ? w! : new Float64Array(p!.data.length).fill(1), reduction),
      {
        shapes: [[[1]], [[63]], [[64]], [[65]], [[5003]]],
        fill: (shape, random) => Float32Array.from({ length: shape[0]! }, () => 0.02 + 0.96 * random()),
        extra: ([shape], random) => [
          // Targets between 0 and 1 too, as PyTorch allows.
          Float32Array.from({ length: shape![0]! }, () => Math.min(1, Math.max(0, 2 * random() - 0.5))),
          Float32Array.from({ length: shape![0]! }, random),
        ],
        atol: 1e-5,
        step: 1e-5,
      },
    );
  }
}

gpuTest(
  'binaryCrossEntropy clamps the logarithm at -100, and gives NaN for NaN and for what is no probability',
  async (gpu) => {
    const p = tensor(gpu, [0, 1, 0, 1, Number.NaN, 1.5, -0.5, 0.5]);
    p.requiresGrad = true;
    const loss = tidy(() => {
      const target = tensor(gpu, [1, 0, 0, 1, 0, 0, 1, Number.NaN]);
      const loss = binaryCrossEntropy(p, target, { reduction: 'none' });
      backward(loss, tensor(gpu, new Float32Array(8).fill(1)));
      return loss;
    });
    const nan = Number.NaN;
    assertClose('loss', await loss.read(), [100, 100, 0, 0, nan, nan, nan, nan], { rtol: 1e-6, atol: 0 });
    const dp = await p.grad!.read();
    assertClose('dp', [...dp.subarray(0, 5), dp[7]!], [-1e12, 1e12, 0, 0, nan, nan], { rtol: 1e-6, atol: 0 });
    zeroGrad([p]);
    for (const held of [p, loss]) held.dispose();
  },
);

gpuTest('binaryCrossEntropy knows the logarithms of numbers below 2^-126', async (gpu) => {
  const p = [1e-45, 1e-44, 1e-40, 2 ** -126, 1e-30];
  const loss = tidy(() => {
    const target = tensor(gpu, new Float32Array(p.length).fill(1));
    return binaryCrossEntropy(tensor(gpu, p), target, { reduction: 'none' });
  });
  const expected = p.map((v) => Math.min(-Math.log(Math.fround(v)), 100));
  assertClose('loss', await loss.read(), expected, { rtol: 1e-6, atol: 0 });
  loss.dispose();
});

gpuTest('binaryCrossEntropy of nothing: NaN as mean, 0 as sum', async (gpu) => {
  const none = (reduction: 'mean' | 'sum') =>
    tidy(() => {
      const p = tensor(gpu, new Float32Array(0));
      return binaryCrossEntropy(p, p, { reduction });
    });
  const [mean, sum] = [none('mean'), none('sum')];
  assert.ok(Number.isNaN(await mean.item()));
  assert.is(await sum.item(), 0);
  for (const held of [mean, sum]) held.dispose();
});

gpuTest('binaryCrossEntropy refuses what does not fit', (gpu) => {
  tidy(() => {
    const p = tensor(gpu, [0.5, 0.5]);
    assert.throws(() => binaryCrossEntropy(p, tensor(gpu, [1])), /target must be \[2\] but is \[1\]/);
    assert.throws(
      () => binaryCrossEntropy(p, p, { reduction: 'none ' as 'none' }),
      /reduction must be one of 'mean', 'sum', 'none' but is 'none '/,
    );
    assert.throws(() => binaryCrossEntropy(p, p, { weight: tensor(gpu, [1]) }), /weight must be \[2\] but is \[1\]/);
  });
});

run();
