import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { CountedScalar, Counter, Scalar } from '../../src/gpu/scalar.ts';
import { native } from '../../src/io/buffers.ts';
import { dropout } from '../../src/ops/dropout.ts';
import { scale } from '../../src/ops/scale.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, ELEMENTS, inf, nan } from './check.ts';

/** A counter that stays where it is, so every draw is the same. */
const third = new CountedScalar(() => 3, false);
for (const p of [0.1, 0.5, 0.9]) {
  checkOp(
    `dropout of ${p}`,
    (x) => dropout(x!, { p, training: true, seed: 5, counter: third }),
    (x) => reference.dropout(x!, { p, seed: 5, draw: 3 }),
    { shapes: ELEMENTS },
  );
}

gpuTest('dropout zeroes a share of p, independent of element, draw and seed', async (gpu) => {
  const n = 16384;
  const p = 0.3;
  const deviation = Math.sqrt(p * (1 - p));
  // Five standard deviations of the mean of n such draws, and of the mean of the products of two.
  const sigma = 5 / Math.sqrt(n);
  const x = tensor(gpu, new Float32Array(n).fill(1));
  const draw = async (seed: number, value: number) => {
    const y = dropout(x, { p, training: true, seed, counter: new Counter(value) });
    const drops = [...(await y.read())].map((v) => (Number(v === 0) - p) / deviation);
    y.dispose();
    const mean = drops.reduce((a, v) => a + v, 0) / n;
    assert.ok(Math.abs(mean) < sigma, `the share differs by ${mean * deviation} at ${seed}, ${value}`);
    return drops;
  };
  const correlation = (a: number[], b: number[], lag: number) =>
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

gpuTest(
  'dropout draws again at each use, eager and captured, and its gradient uses the draw of its forward',
  async (gpu) => {
    const [n, p, seed] = [200, 0.4, 9];
    const counter = new Counter(7);
    const [x, dy] = [3, 1].map((value) => tensor(gpu, new Float32Array(n).fill(value))) as [Tensor, Tensor];
    x.requiresGrad = true;
    const forwardBackward = () => {
      zeroGrad([x]);
      // Two layers share one counter: by the time of the backward pass it has moved on twice.
      const y = dropout(x, { p, training: true, seed, counter });
      backward(dropout(scale(y, 1), { p, training: true, seed, counter }), dy);
      return { y, dx: x.grad! };
    };
    const check = async ({ y, dx }: ReturnType<typeof forwardBackward>, draw: number) => {
      const kept = (value: number, draw: number) =>
        reference.dropout({ shape: [n], data: new Array(n).fill(value) }, { p, seed, draw });
      const { data: expected } = reference.mul(kept(1, draw), kept(1, draw + 1));
      assertClose(`y of draw ${draw}`, await y.read(), kept(3, draw).data, { rtol: 1e-6 });
      assertClose(`dx of draw ${draw}`, await dx.read(), expected, { rtol: 1e-6 });
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
  },
);

gpuTest('dropout is the identity on the same memory in evaluation or with p = 0, and draws nothing', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [1, nan]);
    const counter = new Counter(0);
    for (const options of [
      { p: 0.5, training: false },
      { p: 0, training: true },
    ])
      assert.is(native(dropout(x, { ...options, seed: 0, counter })).buffer, native(x).buffer);
    assert.is(counter.value, 0);
  });
});

const drop = (p: number) => (x?: Tensor) => dropout(x!, { p, training: true, seed: 0, counter: new Counter(0) });
checkValues('dropout with p = 1 zeroes every finite number, and keeps NaN visible', drop(1), {
  inputs: [[1, -2, 0, nan, inf]],
  y: [0, 0, 0, nan, nan],
  dy: [nan, 1, 2, 3, 4],
  gradients: [[nan, 0, 0, 0, 0]],
});
checkValues('dropout keeps NaN where it zeroes', drop(0.5), {
  inputs: [new Float32Array(64).fill(nan)],
  y: new Array(64).fill(nan),
});

checkArguments('dropout', dropout, { x: 'f32 2x2' }, { options: { p: 0.5, training: true, seed: 0, counter: third } });
checkRefusals('dropout', (gpu) => {
  const x = empty(gpu, [1]);
  const options = { p: 0.5, training: true, seed: 0, counter: new Counter(0) };
  const wrong: [object, RegExp][] = [
    ...[-0.1, 1.1, nan].map((p): [object, RegExp] => [{ p }, new RegExp(`p must be a number from 0 to 1 but is ${p}`)]),
    [{ seed: 2 ** 32 }, /seed must be a whole number from 0 to 4294967295, or a Scalar but is 4294967296/],
    [{ counter: new Scalar(0) }, /counter must be a Counter but is a Scalar/],
    [{ training: 1 }, /training must be true or false but is 1/],
    [{ inplace: true }, /dropout: unknown option inplace; its options are p, training, seed, counter/],
  ];
  return [
    ...wrong.map(([change, message]) => [() => dropout(x, { ...options, ...change } as never), message] as const),
    [() => dropout(x, 0.5 as never), /dropout: expected an options object.*\{ p: 0.5 \}/],
    [() => dropout(empty(gpu, [1], 'u32'), { ...options, training: false }), /dropout: x must be f32 but is u32/],
  ];
});

run();
