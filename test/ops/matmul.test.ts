import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { type MatmulOptions, matmul } from '../../src/ops/matmul.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, type Reference, run, seeded, uniform } from '../harness.ts';

function reference(a: Reference, b: Reference, { transposeA = false, transposeB = false }: MatmulOptions): Reference {
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const n = b.shape[transposeB ? 0 : 1]!;
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [colB, stepB] = transposeB ? [k, 1] : [1, n];
  const data = new Float64Array(m * n);
  for (let r = 0; r < m; r++) {
    for (let c = 0; c < n; c++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += a.data[r * rowA + i * stepA]! * b.data[c * colB + i * stepB]!;
      data[r * n + c] = sum;
    }
  }
  return { shape: [m, n], data };
}

function check(sizes: readonly [m: number, k: number, n: number][], options: MatmulOptions = {}): void {
  const { transposeA, transposeB } = options;
  checkOp(
    `matmul ${JSON.stringify(options)}`,
    ([a, b]) => matmul(a!, b!, options),
    ([a, b]) => reference(a!, b!, options),
    { shapes: sizes.map(([m, k, n]) => [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]]), atol: 2e-5 },
  );
}

// A kernel is compiled for each way of loading and storing, which costs a software adapter a second: the cases share them.
// Rows that vec4 loads cannot start at, around the edges of every core's tiles; rows that they can; and one of each.
check([
  [1, 1, 1],
  [7, 9, 15],
  [17, 31, 33],
  [65, 63, 127],
  [129, 127, 65],
  [32, 20, 64],
  [64, 128, 132],
  [63, 32, 17],
]);
// Long sums, of the product itself and of its gradients: these are cut into slices.
check([
  [17, 2003, 19],
  [2003, 17, 19],
  [17, 19, 2003],
]);
for (const options of [{ transposeA: true }, { transposeB: true }, { transposeA: true, transposeB: true }]) {
  check(
    [
      [17, 31, 33],
      [20, 36, 24],
    ],
    options,
  );
}

gpuTest('matmul of no depth is zero, and of no rows empty', async (gpu) => {
  const [a, b, none] = [
    tensor(gpu, new Float32Array(0), [3, 0]),
    tensor(gpu, new Float32Array(0), [0, 5]),
    tensor(gpu, new Float32Array(0), [0, 3]),
  ];
  const [zeros, empty] = tidy(() => [matmul(a, b), matmul(none, a)]);
  assert.equal([zeros!.shape, await zeros!.read()], [[3, 5], new Float32Array(15)]);
  assert.equal([empty!.shape, await empty!.read()], [[0, 0], new Float32Array(0)]);
  for (const x of [a, b, none, zeros!, empty!]) x.dispose();
});

gpuTest('matmul passes NaN on, to the row or column that it belongs to', async (gpu) => {
  const [m, k, n] = [18, 19, 37];
  const random = seeded(1);
  const [left, right] = [uniform([m, k], random), uniform([k, n], random)];
  left[3 * k] = Number.NaN;
  right[18 * n + 36] = Number.NaN;
  const [a, b] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
  const y = matmul(a, b);
  const values = await y.read();
  for (let i = 0; i < m * n; i++) {
    const [row, col] = [Math.floor(i / n), i % n];
    assert.is(Number.isNaN(values[i]), row === 3 || col === 36, `row ${row}, column ${col}`);
  }
  for (const x of [a, b, y]) x.dispose();
});

gpuTest('matmul gives the same bits every time', async (gpu) => {
  const random = seeded(2);
  const [a, b] = [
    tensor(gpu, uniform([40, 3000], random), [40, 3000]),
    tensor(gpu, uniform([3000, 24], random), [3000, 24]),
  ];
  const [y, again] = tidy(() => [matmul(a, b), matmul(a, b)]);
  assert.equal(await y!.read(), await again!.read());
  for (const x of [a, b, y!, again!]) x.dispose();
});

gpuTest('matmul computes the gradients that are wanted, and no others', async (gpu) => {
  const [a, b, dy] = [tensor(gpu, [[1, 2]]), tensor(gpu, [[3], [4]]), tensor(gpu, [[1]])];
  const dispatches = async (wanted: boolean[]) => {
    [a.requiresGrad, b.requiresGrad] = wanted as [boolean, boolean];
    const step = await capture(gpu, () => {
      const y = matmul(a, b);
      if (y.requiresGrad) backward(y, dy);
    });
    step.run();
    const grads = [await a.grad?.read(), await b.grad?.read()];
    const count = step.dispatches;
    zeroGrad([a, b]);
    step.dispose();
    return [count, ...grads];
  };
  assert.equal(await dispatches([false, false]), [1, undefined, undefined]);
  assert.equal(await dispatches([true, false]), [2, Float32Array.of(3, 4), undefined]);
  assert.equal(await dispatches([false, true]), [2, undefined, Float32Array.of(1, 2)]);
  for (const x of [a, b, dy]) x.dispose();
});

gpuTest('matmul says what does not fit', (gpu) => {
  const [a, b, c, d] = [
    tensor(gpu, [[1, 2, 3]]),
    tensor(gpu, [[1, 2]]),
    tensor(gpu, [1, 2]),
    tensor(gpu, Uint32Array.of(1), [1, 1]),
  ];
  assert.throws(
    () => matmul(a!, b!),
    /matmul: a has 3 columns \(\[1,3\]\) but b has 1 rows \(\[1,2\]\); make them equal/,
  );
  assert.throws(
    () => matmul(a!, b!, { transposeA: true, transposeB: true }),
    /\(\[1,3\] transposed\) but b has 2 rows/,
  );
  assert.throws(() => matmul(a!, c!), /matmul: b must be a matrix but is \[2\]/);
  assert.throws(() => matmul(d!, a!), /matmul: a must be f32 but is u32/);
  for (const x of [a, b, c, d]) x!.dispose();
});

run();
