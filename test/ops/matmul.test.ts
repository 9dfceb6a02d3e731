import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded, uniform } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, nan } from './check.ts';

// A kernel is compiled for each way of loading and storing, which takes a software adapter a second: the cases share them.
for (const [options, shapes] of [
  [
    {},
    [
      // Rows that vec4 loads cannot start at, around the edges of every family's tiles; rows that they can; and one of each.
      ...['1x1 1x1', '7x9 9x15', '17x31 31x33', '65x63 63x127', '129x127 127x65', '32x20 20x64', '64x128 128x132'],
      '63x32 32x17',
      // A large k, in y itself and in its gradients, which is split.
      ...['17x2003 2003x19', '2003x17 17x19', '17x19 19x2003'],
    ],
  ],
  [{ transposeA: true }, ['31x17 31x33', '28x20 28x24']],
  [{ transposeB: true }, ['17x31 33x31', '20x28 24x28']],
  [{ transposeA: true, transposeB: true }, ['31x17 33x31', '28x20 24x28']],
] as const) {
  checkOp('matmul', matmul, reference.matmul, { options, shapes, atol: 2e-5 });
}

gpuTest('matmul of no columns is zero, and of no rows empty', async (gpu) => {
  const zeros = tidy(() => matmul(empty(gpu, [3, 0]), empty(gpu, [0, 5])));
  assert.equal([zeros.shape, await zeros.read()], [[3, 5], new Float32Array(15)]);
  zeros.dispose();
  tidy(() => assert.equal(matmul(empty(gpu, [0, 3]), empty(gpu, [3, 0])).shape, [0, 0]));
});

gpuTest('matmul passes NaN on to its row or column', async (gpu) => {
  const [m, k, n] = [18, 19, 37];
  const random = seeded(1);
  const [left, right] = [uniform([m, k], random), uniform([k, n], random)];
  left[3 * k] = nan;
  right[18 * n + 36] = nan;
  const [a, b] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
  const y = matmul(a, b);
  for (const [i, value] of (await y.read()).entries()) {
    const [row, col] = [Math.floor(i / n), i % n];
    assert.is(Number.isNaN(value), row === 3 || col === 36, `row ${row}, column ${col}`);
  }
  for (const x of [a, b, y]) x.dispose();
});

gpuTest('matmul gives the same bits every time', async (gpu) => {
  const random = seeded(2);
  const [a, b] = [
    [40, 3000],
    [3000, 24],
  ].map((shape) => tensor(gpu, uniform(shape, random), shape));
  const [y, again] = [matmul(a!, b!), matmul(a!, b!)];
  assert.equal(await y.read(), await again.read());
  for (const x of [a!, b!, y, again]) x.dispose();
});

gpuTest('matmul computes only the gradients that are wanted', async (gpu) => {
  const [a, b, dy] = [tensor(gpu, [[1, 2]]), tensor(gpu, [[3], [4]]), tensor(gpu, [[1]])];
  const ask = async (...wanted: [boolean, boolean]) => {
    [a.requiresGrad, b.requiresGrad] = wanted;
    const step = await capture(gpu, () => {
      const y = matmul(a, b);
      if (y.requiresGrad) backward(y, dy);
    });
    step.run();
    const grads = [await a.grad?.read(), await b.grad?.read()];
    const { dispatches } = step;
    zeroGrad([a, b]);
    step.dispose();
    return [dispatches, ...grads];
  };
  assert.equal(await ask(false, false), [1, undefined, undefined]);
  assert.equal(await ask(true, false), [2, Float32Array.of(3, 4), undefined]);
  assert.equal(await ask(false, true), [2, undefined, Float32Array.of(1, 2)]);
  for (const x of [a, b, dy]) x.dispose();
});

checkArguments('matmul', matmul, { a: 'f32 2x2', b: 'f32 2x2' }, { options: {} });
checkRefusals('matmul', (gpu) => {
  const [a, b] = [empty(gpu, [1, 3]), empty(gpu, [1, 2])];
  return [
    [() => matmul(a, b), /matmul: a has 3 columns \(\[1,3\]\) but b has 1 rows \(\[1,2\]\); they must be equal/],
    [() => matmul(a, b, { transposeA: true, transposeB: true }), /\(\[1,3\] transposed\) but b has 2 rows/],
    [() => matmul(a, empty(gpu, [2])), /matmul: b must be a matrix but is \[2\]/],
  ];
});

run();
