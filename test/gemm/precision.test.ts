import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { webgpu } from '#gpu';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { SUBGROUP_MATRICES, setFloat32MatmulPrecision } from '../../src/gemm/precision.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import { setGemmVariants } from '../../src/gemm/variants.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { conv2d } from '../../src/ops/conv2d.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import type { Shape } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, assertSameBits, run, seeded, uniform } from '../harness.ts';

// Products of operands in half precision. SwiftShader has none: there the refusal is what is tested.

let gpu: Gpu;
test.before(async () => {
  gpu = await createGpu({ features: [SUBGROUP_MATRICES], validate: true });
});
test.after(() => gpu.dispose());

const has = (): boolean => gpu.features.has('shader-f16');

/** A test in half precision, that leaves the highest behind. */
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
      setGemmVariants(gpu, {});
    }
  });
}

interface Outcome {
  y: Float32Array;
  gradients: Float32Array[];
}

/** What an op gives for inputs, and the gradients of all of them. */
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

/** Multiples of 1/8 in [-1, 1]: half precision has them, so products of them are those of single precision. */
function eighths(shape: Shape, seed: number): Float32Array {
  return uniform(shape, seeded(seed), 8).map((value) => Math.round(value) / 8);
}

// Few, for a software adapter takes a second to compile each of their products.
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
  halfTest(`${name}: operands that half precision has give the products of single precision`, async () => {
    const data = shapes.map((shape, i) => eighths(shape, i + 1));
    const families = new Set([gemmSettings.of(gpu).half, 'half'] as const);
    const found: Outcome[] = [];
    for (const family of families) {
      gemmSettings.of(gpu).half = family;
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

halfTest('NaN, infinity and what half precision has no number for are seen in the result', async () => {
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

halfTest('other sizes of tile, in slices and not', async () => {
  const [m, n, k] = [130, 133, 67];
  const [a, b] = [eighths([m, k], 1), eighths([k, n], 2)];
  const expected = reference.matmul({ shape: [m, k], data: a }, { shape: [k, n], data: b }).data;
  const [x, w] = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])];
  const family = gemmSettings.of(gpu).half!;
  for (const [tile, slices] of family === 'half'
    ? ([
        [32, 3],
        [128, 1],
      ] as const)
    : ([[64, 3]] as const)) {
    setGemmVariants(gpu, { 'matmul 256x256x128': { family, tile, slices } });
    const y = matmul(x, w);
    assertClose(`tile ${tile} in ${slices}`, await y.read(), expected, { rtol: 1e-6, atol: 1e-6 });
    y.dispose();
  }
  for (const one of [x, w]) one.dispose();
});

halfTest('variants of another precision give way, in both directions', async () => {
  const numbers = uniform([64, 64], seeded(3));
  const x = tensor(gpu, numbers, [64, 64]);
  const family = gemmSettings.of(gpu).half!;
  const product = async (): Promise<Float32Array> => {
    const y = matmul(x, x);
    const read = await y.read();
    y.dispose();
    return read;
  };
  const half = await product();
  setGemmVariants(gpu, { 'matmul 64x64x64': { family: 'plain', tile: 32, slices: 1 } });
  assertSameBits('in half precision', await product(), half);
  await setFloat32MatmulPrecision(gpu, 'highest');
  setGemmVariants(gpu, {});
  const single = await product();
  assert.not.equal(single, half);
  setGemmVariants(gpu, { 'matmul 64x64x64': { family, tile: 64, slices: 1 } });
  assertSameBits('in single precision', await product(), single);
  x.dispose();
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
    "setFloat32MatmulPrecision: 'medium' needs shader-f16, which this device does not offer; use 'highest'",
  );
  bare.dispose();
});

run();
