import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { domainWeights } from '../../src/ops/domainWeights.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, integers, run, seeded } from '../harness.ts';
import { checkArguments, nan } from './check.ts';

async function computed(gpu: Gpu, classWeight: Float32Array, labels: Uint32Array): Promise<Float32Array[]> {
  const { source, target } = tidy(() => domainWeights(tensor(gpu, classWeight), tensor(gpu, labels)));
  const read = [await source.read(), await target.read()];
  for (const x of [source, target]) x.dispose();
  return read;
}

for (const n of [1, 63, 64, 65, 1009]) {
  gpuTest(`domainWeights gives ${n} source examples their classes' weights, and the target their mean`, async (gpu) => {
    const random = seeded(n);
    const classWeight = Float32Array.from({ length: 31 }, random);
    const labels = integers(n, 31, random);
    const [source, target] = await computed(gpu, classWeight, labels);
    const expected = reference.domainWeights({ shape: [31], data: classWeight }, { shape: [n], data: labels });
    assertClose('source', source!, expected.source.data);
    assertClose('target', target!, expected.target.data, { rtol: 1e-6, atol: 1e-7 });
  });
}

gpuTest('domainWeights passes NaN on, and gives NaN for a label without a class', async (gpu) => {
  for (const [weights, labels] of [
    [Float32Array.of(1, nan), Uint32Array.of(0, 1)],
    [Float32Array.of(1, 0.5), Uint32Array.of(0, 2)],
  ] as const)
    assert.equal(
      (await computed(gpu, weights, labels)).flatMap((x) => [...x]),
      [1, nan, nan, nan],
    );
});
checkArguments('domainWeights', domainWeights, { classWeight: 'f32 2', labels: 'u32 2' });

run();
