import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../src/autograd.ts';
import { tuneGemm } from '../src/gemmTuning.ts';
import { type GemmVariant, gemmVariants, setGemmVariants } from '../src/gemmVariants.ts';
import { linear } from '../src/ops/linear.ts';
import { matmul } from '../src/ops/matmul.ts';
import { tensor } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from './harness.ts';

const VARIANTS: GemmVariant[] = [
  { family: 'workgroup', tile: 32, slices: 1 },
  { family: 'workgroup', tile: 64, slices: 3 },
  { family: 'workgroup', tile: 128, slices: 1 },
  { family: 'plain', tile: 32, slices: 3 },
  { family: 'subgroup', tile: 16, slices: 1 },
  { family: 'subgroup', tile: 32, slices: 3 },
];

for (const variant of VARIANTS) {
  gpuTest(`a product by ${JSON.stringify(variant)}`, async (gpu) => {
    if (variant.family === 'subgroup' && gpu.subgroupSize < 8) return;
    const [m, n, k] = [130, 133, 67];
    const random = seeded(1);
    const [left, right] = [uniform([m, k], random), uniform([k, n], random)];
    const expected = Float64Array.from({ length: m * n }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += left[Math.floor(i / n) * k + j]! * right[j * n + (i % n)]!;
      return sum;
    });
    const [a, b] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
    setGemmVariants(gpu, { 'matmul 256x256x128': variant });
    const { events } = await gpu.profile(() => matmul(a, b).dispose());
    assert.is(events.length, variant.slices > 1 ? 2 : 1);
    const y = matmul(a, b);
    assertClose('y', await y.read(), expected, { rtol: 1e-5, atol: 1e-5 });
    setGemmVariants(gpu, {});
    for (const one of [a, b, y]) one.dispose();
  });
}

gpuTest('a variant that the device cannot run gives way to another', async (gpu) => {
  const x = tensor(gpu, [
    [1, 2],
    [3, 4],
  ]);
  setGemmVariants(gpu, { 'matmul 2x2x2': { family: 'workgroup', tile: 1024, slices: 1 } });
  const y = matmul(x, x);
  assert.equal([...(await y.read())], [7, 10, 15, 22]);
  setGemmVariants(gpu, {});
  for (const one of [x, y]) one.dispose();
});

gpuTest('tuning measures forward and backward products, and its choice can be given to another run', async (gpu) => {
  const random = seeded(2);
  const x = tensor(gpu, uniform([40, 4000], random), [40, 4000]);
  const weight = tensor(gpu, uniform([36, 4000], random), [36, 4000]);
  weight.requiresGrad = true;
  const dy = tensor(gpu, uniform([40, 36], random), [40, 36]);
  const step = () => {
    tidy(() => backward(linear(x, weight), dy));
    zeroGrad([weight]);
  };
  const variants = await tuneGemm(gpu, step, { milliseconds: 60_000 });
  assert.equal(Object.keys(variants).sort(), ['linear 64x64x4096', 'linear.gradient 64x4096x64']);
  assert.equal(gemmVariants(gpu), variants);
  const before = linear(x, weight);
  setGemmVariants(gpu, JSON.parse(JSON.stringify(variants)));
  const after = linear(x, weight);
  assert.equal(await before.read(), await after.read());
  setGemmVariants(gpu, {});
  for (const one of [x, weight, dy, before, after]) one.dispose();
});

gpuTest('tuning without time leaves all as it is', async (gpu) => {
  const x = tensor(gpu, new Float32Array(64), [8, 8]);
  assert.equal(await tuneGemm(gpu, () => matmul(x, x).dispose(), { milliseconds: 0 }), {});
  x.dispose();
});

run();
