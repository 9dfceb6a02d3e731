import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { Counter, Scalar } from '../../src/gpu/scalar.ts';
import { native } from '../../src/io/buffers.ts';
import { dropout } from '../../src/ops/dropout.ts';
import { scale } from '../../src/ops/scale.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, run } from '../harness.ts';
import { ODD_SHAPES, valuesOf } from './elementwise.ts';

/** pcg3d: z of the hash of (element, draw, seed). */
function hash(element: number, draw: number, seed: number): number {
  const v = Uint32Array.from([element, draw, seed], (key) => Math.imul(key, 1664525) + 1013904223);
  const mix = () => {
    for (const [to, a, b] of [
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
    ] as const)
      v[to]! += Math.imul(v[a]!, v[b]!);
  };
  mix();
  for (let k = 0; k < 3; k++) v[k]! ^= v[k]! >>> 16;
  mix();
  return v[2]!;
}
const kept = (element: number, draw: number, seed: number, p: number): boolean =>
  (hash(element, draw, seed) >>> 8) / 2 ** 24 >= Math.fround(p);

for (const p of [0.1, 0.5, 0.9]) {
  checkOp(
    `dropout ${p}`,
    ([x]) => dropout(x!, { p, training: true, seed: 5, counter: new Counter(3) }),
    ([x]) => ({ shape: x!.shape, data: x!.data.map((v, i) => (kept(i, 3, 5, p) ? v / (1 - p) : 0)) }),
    { shapes: ODD_SHAPES },
  );
}

gpuTest('dropout: as many are zeroed as p says, with no regard to element, draw or seed', async (gpu) => {
  const n = 16384;
  const p = 0.3;
  // Five standard deviations of the mean of n such draws, and of the product of two of them.
  const sigma = 5 / Math.sqrt(n);
  const x = tensor(gpu, new Float32Array(n).fill(1));
  const draw = async (seed: number, value: number) => {
    const y = dropout(x, { p, training: true, seed, counter: new Counter(value) });
    const drops = [...(await y.read())].map((v) => Number(v === 0));
    y.dispose();
    const share = drops.reduce((a, v) => a + v, 0) / n;
    assert.ok(Math.abs(share - p) < sigma * Math.sqrt(p * (1 - p)), `share ${share} at ${seed}, ${value}`);
    return drops.map((v) => (v - p) / Math.sqrt(p * (1 - p)));
  };
  const correlation = (a: number[], b: number[], lag = 0) =>
    a.reduce((sum, v, i) => sum + v * (b[i + lag] ?? 0), 0) / n;
  const first = await draw(0, 0);
  for (const lag of [1, 2, 28, 64, 128, 1024])
    assert.ok(Math.abs(correlation(first, first, lag)) < sigma, `lag ${lag}`);
  for (const [seed, value] of [
    [0, 1],
    [0, 2],
    [1, 0],
    [2, 0],
    [1, 1],
    [0, 2 ** 31],
    [2 ** 32 - 1, 0],
  ] as const) {
    const other = await draw(seed, value);
    for (const lag of [0, 1]) assert.ok(Math.abs(correlation(first, other, lag)) < sigma, `${seed}, ${value}, ${lag}`);
  }
  x.dispose();
});

gpuTest('dropout draws anew at each use, eager and captured, and its gradient goes by its own draw', async (gpu) => {
  const [n, p, seed] = [200, 0.4, 9];
  const counter = new Counter(7);
  const x = tensor(gpu, new Float32Array(n).fill(3));
  const dy = tensor(gpu, new Float32Array(n).fill(1));
  x.requiresGrad = true;
  const forwardBackward = () => {
    zeroGrad([x]);
    // Two layers of one counter: by the time of the backward pass it has moved on twice.
    const y = dropout(x, { p, training: true, seed, counter });
    backward(dropout(scale(y, 1), { p, training: true, seed, counter }), dy);
    return { y, dx: x.grad! };
  };
  const check = async ({ y, dx }: ReturnType<typeof forwardBackward>, draw: number) => {
    const factor = (d: number) => (_: unknown, i: number) => (kept(i, d, seed, p) ? 1 / (1 - p) : 0);
    const [first, second] = [draw, draw + 1].map((d) => Array.from({ length: n }, factor(d)));
    const close = { rtol: 1e-6, atol: 0 };
    assertClose(
      `y of draw ${draw}`,
      await y.read(),
      first!.map((v) => 3 * v),
      close,
    );
    assertClose(
      `dx of draw ${draw}`,
      await dx.read(),
      first!.map((v, i) => v * second![i]!),
      close,
    );
  };
  const eager = tidy(forwardBackward);
  await check(eager, 7);
  assert.is(counter.value, 9);
  const step = await capture(gpu, forwardBackward);
  assert.is(counter.value, 9);
  for (const draw of [9, 11, 13]) {
    step.run();
    await check(step.result, draw);
  }
  zeroGrad([x]);
  for (const t of [eager.y, eager.dx, step.result.y, step.result.dx, step, x, dy]) t.dispose();
});

gpuTest('dropout is the identity on the same memory when not training or with p = 0, and draws nothing', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [1, Number.NaN]);
    const counter = new Counter(0);
    for (const [p, training] of [
      [0.5, false],
      [0, true],
    ] as const) {
      const y = dropout(x, { p, training, seed: 0, counter });
      assert.is(native(y).buffer, native(x).buffer);
    }
    assert.is(counter.value, 0);
  });
});

gpuTest('dropout with p = 1 zeroes all, but for what is not finite', async (gpu) => {
  const drop = (p: number) => (x: ReturnType<typeof empty>) =>
    dropout(x, { p, training: true, seed: 0, counter: new Counter(0) });
  const inputs = [1, -2, 0, Number.NaN, Number.POSITIVE_INFINITY];
  const { y, gradients } = await valuesOf(gpu, drop(1), [inputs], [Number.NaN, 1, 2, 3, 4]);
  assert.equal(y, [0, 0, 0, Number.NaN, Number.NaN]);
  assert.equal(gradients[0], [Number.NaN, 0, 0, 0, 0]);
  const half = await valuesOf(gpu, drop(0.5), [new Array(64).fill(Number.NaN)]);
  assert.ok(half.y.every(Number.isNaN));
});

gpuTest('dropout refuses what is no probability', (gpu) => {
  tidy(() => {
    for (const p of [-0.1, 1.1, Number.NaN]) {
      assert.throws(
        () => dropout(empty(gpu, [1]), { p, training: true, seed: 0, counter: new Counter(0) }),
        new RegExp(`dropout: p must be a number from 0 to 1 but is ${p}`),
      );
    }
    const options = { p: 0.5, training: true, seed: 0, counter: new Counter(0) };
    for (const [wrong, message] of [
      [{ seed: 2 ** 32 }, /seed must be a whole number from 0 to 4294967295, or a Scalar but is 4294967296/],
      [{ counter: new Scalar(0) }, /counter must be a Counter but is a Scalar/],
      [{ training: 1 }, /training must be true or false but is 1/],
      [{ inplace: true }, /dropout: unknown option inplace; its options are p, training, seed, counter/],
    ] as const)
      assert.throws(() => dropout(empty(gpu, [1]), { ...options, ...wrong } as never), message);
    assert.throws(() => dropout(empty(gpu, [1]), 0.5 as never), /dropout: expected an options object.*\{ p: 0.5 \}/);
    const labels = empty(gpu, [1], 'u32');
    assert.throws(() => dropout(labels, { ...options, training: false }), /dropout: x must be f32 but is u32/);
  });
});

run();
