import * as assert from 'uvu/assert';
import { domainWeights } from '../../src/ops/domainWeights.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded } from '../harness.ts';

for (const n of [1, 63, 64, 65, 1009]) {
  gpuTest(`domainWeights of ${n} labels`, async (gpu) => {
    const random = seeded(n);
    const classWeight = Float32Array.from({ length: 31 }, random);
    const labels = Uint32Array.from({ length: n }, () => Math.floor(31 * random()));
    const { source, target } = tidy(() => domainWeights(tensor(gpu, classWeight), tensor(gpu, labels)));
    const expected = [...labels].map((label) => classWeight[label]!);
    const mean = expected.reduce((a, w) => a + w, 0) / n;
    assertClose('source', await source.read(), expected, { rtol: 0, atol: 0 });
    assertClose('target', await target.read(), new Array(n).fill(mean), { rtol: 1e-6, atol: 1e-7 });
    source.dispose();
    target.dispose();
  });
}

gpuTest('domainWeights: NaN passes, and a label out of range weighs NaN', async (gpu) => {
  for (const [weights, labels] of [
    [
      [1, Number.NaN],
      [0, 1],
    ],
    [
      [1, 0.5],
      [0, 2],
    ],
  ] as const) {
    const { source, target } = tidy(() => domainWeights(tensor(gpu, weights), tensor(gpu, Uint32Array.from(labels))));
    assert.equal([...(await source.read()), ...(await target.read())], [1, Number.NaN, Number.NaN, Number.NaN]);
    source.dispose();
    target.dispose();
  }
});

gpuTest('domainWeights wants u32 labels', (gpu) => {
  tidy(() =>
    assert.throws(
      () => domainWeights(tensor(gpu, [1]), tensor(gpu, [0])),
      /domainWeights: labels must be u32 but is f32/,
    ),
  );
});

run();
