import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { webgpu } from '#gpu';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { setFloat32MatmulPrecision } from '../../src/gemm/precision.ts';
import { HALF_KERNELS, SUBGROUP_MATRICES } from '../../src/gemm/requestedKernels.ts';
import { gemmSettings, withVariants } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { conv2d } from '../../src/ops/conv2d.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import type { Shape } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, assertSameBits, run, seeded, uniform } from '../harness.ts';

// Matrix multiplication with operands in half precision. SwiftShader does not have it: there the refusal is tested.

let gpu: Gpu;
test.before(async () => {
  gpu = await createGpu({ features: [SUBGROUP_MATRICES], validate: true });
});
test.after(() => gpu.dispose());

const has = (): boolean => gpu.features.has('shader-f16');

/** A test in half precision. Afterwards the precision is the highest again. */
function halfTest(name: string, body: () => Promise<void>): void {
  test(name, async () => {
    if (!has()) return;
    const before = gpu.memory().buffers;
    await setFloat32MatmulPrecision(gpu, 'medium');
    try {
      await body();
      assert.is(gpu.memory().buffers, before, 'buffers in use');
    } finally {
      await setFloat32MatmulPrecision(gpu, 'highest');
    }
  });
}

interface Outcome {
  y: Float32Array;
  gradients: Float32Array[];
}

/** Returns the output of an op, and the gradients of all inputs. */
async function outcome(op: (x: Tensor[]) => Tensor, shapes: readonly Shape[], data: Float32Array[]): Promise<Outcome> {
  const leaves = data.map((numbers, i) => tensor(gpu, numbers, shapes[i]!, `input${i}`));
  for (const leaf of leaves) leaf.requiresGrad = true;
  const y = tidy(() => {
    const result = op(leaves);
    backward(result, tensor(gpu, eighths(result.shape, 9), result.shape));
    return result;
  });
  const read = { y: await y.read(), gradients: await Promise.all(leaves.map(({ grad }) => grad!.read())) };
  zeroGrad(leaves);
  for (const one of [...leaves, y]) one.dispose();
  return read;
}

/** Multiples of 1/8 in [-1, 1]. Half precision has them, so the result is that of single precision. */
function eighths(shape: Shape, seed: number): Float32Array {
  return uniform(shape, seeded(seed), 8).map((value) => Math.round(value) / 8);
}

// Few, because a software adapter takes a second to compile each kernel.
const OPS: [name: string, op: (x: Tensor[]) => Tensor, shapes: readonly Shape[]][] = [
  [
    'matmul',
    ([a, b]) => matmul(a!, b!),
    [
      [129, 70],
      [70, 131],
    ],
  ],
  ['linear with relu', ([x, weight, bias]) => linear(x!, weight!, bias!, { relu: true }), [[67, 1030], [3, 1030], [3]]],
  [
    'conv2d',
    ([x, weight, bias]) =>
      conv2d(x!, weight!, bias!, { stride: [3, 2], padding: [1, 2], dilation: [2, 1], relu: true }),
    [[2, 5, 20, 18], [67, 5, 2, 4], [67]],
  ],
];

for (const [name, op, shapes] of OPS) {
  halfTest(`${name}: operands that half precision has give the result of single precision`, async () => {
    const data = shapes.map((shape, i) => eighths(shape, i + 1));
    const kernels = new Set([gemmSettings.of(gpu).half, HALF_KERNELS.at(-1)]);
    const found: Outcome[] = [];
    for (const kernel of kernels) {
      gemmSettings.of(gpu).half = kernel;
      found.push(await outcome(op, shapes, data));
    }
    await setFloat32MatmulPrecision(gpu, 'highest');
    const expected = await outcome(op, shapes, data);
    for (const { y, gradients } of found) {
      assertClose('y', y, expected.y, { rtol: 1e-6, atol: 1e-6 });
      for (const [i, gradient] of gradients.entries())
        assertClose(`gradient ${i}`, gradient, expected.gradients[i]!, { rtol: 1e-6, atol: 1e-6 });
    }
  });
}

halfTest('operands are rounded to 11 bits, and not more', async () => {
  const [m, n, k] = [70, 66, 90];
  const [a, b] = [uniform([m, k], seeded(1)), uniform([k, n], seeded(2))];
  const [x, w] = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])];
  const y = matmul(x, w);
  const found = await y.read();
  let worst = 0;
  for (let i = 0; i < m * n; i++) {
    let [sum, magnitude] = [0, 0];
    for (let j = 0; j < k; j++) {
      const term = a[Math.floor(i / n) * k + j]! * b[j * n + (i % n)]!;
      sum += term;
      magnitude += Math.abs(term);
    }
    worst = Math.max(worst, Math.abs(found[i]! - sum) / magnitude);
  }
  assert.ok(worst < 2 ** -10, `${worst} of the sum of magnitudes`);
  assert.ok(worst > 2 ** -16, `${worst} of the sum of magnitudes: the operands were not rounded`);
  for (const one of [x, w, y]) one.dispose();
});

halfTest('NaN, infinity and values beyond half precision show in the result', async () => {
  const rows = [Number.NaN, Number.POSITIVE_INFINITY, 7e4, -7e4, 65504, 2 ** -14];
  const [x, w] = [
    tensor(
      gpu,
      rows.map((value) => [0, value]),
    ),
    tensor(gpu, [[1], [1]]),
  ];
  const y = matmul(x, w);
  assert.equal(
    [...(await y.read())],
    [Number.NaN, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 65504, 2 ** -14],
  );
  for (const one of [x, w, y]) one.dispose();
});

halfTest('other tiles, with k split and not', async () => {
  const [m, n, k] = [130, 133, 67];
  const [a, b] = [eighths([m, k], 1), eighths([k, n], 2)];
  const expected = reference.matmul({ shape: [m, k], data: a }, { shape: [k, n], data: b }).data;
  const [x, w] = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])];
  const { family } = gemmSettings.of(gpu).half!;
  const tiles = family === 'half' ? ([[128, 128, 3, 8]] as const) : ([[64, 64, 3, undefined]] as const);
  for (const [tileRows, tileColumns, splitK, block] of tiles) {
    const y = await withVariants(
      gpu,
      () => ({ family, tileRows, tileColumns, splitK, ...(block && { block }) }),
      () => matmul(x, w),
    );
    assertClose(`tile ${tileRows} in ${splitK}`, await y.read(), expected, { rtol: 1e-6, atol: 1e-6 });
    y.dispose();
  }
  for (const one of [x, w]) one.dispose();
});

halfTest('a captured step keeps the precision it was captured with', async () => {
  const x = tensor(gpu, uniform([40, 40], seeded(4)), [40, 40]);
  const step = await capture(gpu, () => matmul(x, x));
  step.run();
  const half = await step.result.read();
  await setFloat32MatmulPrecision(gpu, 'highest');
  step.run();
  assertSameBits('again', await step.result.read(), half);
  for (const one of [step.result, step, x]) one.dispose();
});

test('an unknown precision is refused', async () => {
  await setFloat32MatmulPrecision(gpu, 'high' as 'highest').then(
    () => assert.unreachable(),
    (error: Error) =>
      assert.is(
        `${error.name}: ${error.message}`,
        "RangeError: setFloat32MatmulPrecision: the precision must be 'highest' or 'medium' but is \"high\"",
      ),
  );
});

test('a device without half precision is refused', async () => {
  const adapter = (await (await webgpu()).requestAdapter())!;
  const bare = await createGpu({ device: await adapter.requestDevice() });
  const error: Error & { code?: string } = await setFloat32MatmulPrecision(bare, 'medium').then(
    () => assert.unreachable('accepted'),
    (reason) => reason,
  );
  assert.is(error.code, 'LIMIT');
  assert.is(
    error.message,
    "setFloat32MatmulPrecision: 'medium' needs shader-f16, which this device does not have; use 'highest'",
  );
  bare.dispose();
});

run();
