import * as assert from 'uvu/assert';
import { sum } from '../../src/ops/sum.ts';
import { sizeOf } from '../../src/shape.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run, seeded, uniform } from '../harness.ts';

/** The sum along a dimension, or of all, in double precision. */
function reference({ shape, data }: Reference, dim?: number): Reference {
  const axis = dim === undefined ? 0 : (dim + shape.length) % Math.max(1, shape.length);
  const [before, after] = dim === undefined ? [[], []] : [shape.slice(0, axis), shape.slice(axis + 1)];
  const [n, inner] = dim === undefined ? [data.length, 1] : [shape[axis] ?? 1, sizeOf(after)];
  const y = new Float64Array(sizeOf(before) * inner);
  for (let i = 0; i < data.length; i++) y[Math.floor(i / (n * inner)) * inner + (i % inner)]! += data[i]!;
  return { shape: [...before, ...after], data: y };
}

// Lengths around the lanes of a workgroup and the chunks of 256, inner sizes on either side of 8.
const CASES: [shape: number[], dims: (number | undefined)[]][] = [
  [[], [undefined, 0, -1]],
  [[1], [undefined, 0]],
  [[63], [undefined, -1]],
  [[257], [undefined, 0]],
  [[100003], [undefined]],
  [
    [3, 4, 5],
    [undefined, 0, 1, 2, -1, -2],
  ],
  [
    [65, 31],
    [0, 1],
  ],
  [
    [1009, 10],
    [0, 1],
  ],
  [
    [2, 300, 3],
    [1, -3],
  ],
  [[7, 1000], [1]],
];

for (const [shape, dims] of CASES) {
  for (const dim of dims) {
    const options = dim === undefined ? {} : { dim };
    checkOp(
      `sum along ${dim}`,
      ([x]) => sum(x!, options),
      ([x]) => reference(x!, dim),
      { shapes: [[shape]], atol: 2e-5 },
    );
  }
}

for (const [dim, shape] of [
  [1, [3, 4]],
  [-2, [65, 31]],
  [1, [2, 3, 5]],
] as const) {
  checkOp(
    `sum along ${dim}, keepdim`,
    ([x]) => sum(x!, { dim, keepdim: true }),
    ([x]) => ({ ...reference(x!, dim), shape: Array.from<number>(shape).with(dim, 1) }),
    { shapes: [[shape]], atol: 2e-5 },
  );
}

gpuTest('sum of all with keepdim has a size of 1 in every dimension', async (gpu) => {
  const [all, single] = tidy(() => [
    sum(tensor(gpu, [[1, 2, 3]]), { keepdim: true }),
    sum(tensor(gpu, 5), { dim: 0, keepdim: true }),
  ]);
  assert.equal([all.shape, await all.item(), single.shape, await single.item()], [[1, 1], 6, [], 5]);
  for (const held of [all, single]) held.dispose();
});

gpuTest('sum of 4 million elements keeps its digits, and repeats itself', async (gpu) => {
  const size = 64 * 65535 + 100;
  const random = seeded(1);
  const data = Float32Array.from({ length: size }, random);
  const x = tensor(gpu, data);
  const [a, b] = [sum(x), sum(x)];
  const value = await a.item();
  assertClose('sum', [value], [data.reduce((s, v) => s + v, 0)], { rtol: 1e-6, atol: 0 });
  assert.is(await b.item(), value);
  for (const held of [x, a, b]) held.dispose();
});

gpuTest('sum passes NaN on, and of nothing is 0', async (gpu) => {
  const ask = async (data: number[], shape: number[], dim?: number) => {
    const y = tidy(() => sum(tensor(gpu, Float32Array.from(data), shape), dim === undefined ? {} : { dim }));
    const values = await y.read();
    y.dispose();
    return values;
  };
  assertClose('NaN', await ask([1, Number.NaN, 2, 3], [2, 2], 1), [Number.NaN, 5], { rtol: 0, atol: 0 });
  assertClose('nothing', await ask([], [0]), [0], { rtol: 0, atol: 0 });
  assertClose('columns of nothing', await ask([], [0, 3], 0), [0, 0, 0], { rtol: 0, atol: 0 });
  assert.is((await ask([], [0, 3], 1)).length, 0);
});

gpuTest('sum refuses a dimension that is none', (gpu) => {
  const x = tensor(gpu, uniform([70, 3], seeded(3)), [70, 3]);
  assert.throws(() => sum(x, { dim: 2 }), /sum: dim is 2, but x is \[70,3\]; it must be a whole number from -2 to 1/);
  assert.throws(() => sum(x, { dim: -3 }), /dim is -3/);
  assert.throws(() => sum(x, { axis: 1 } as never), /sum: unknown option axis; did you mean dim\?/);
  assert.throws(() => sum(x, { dim: [0, 1] } as never), /sum: dim must be a whole number but is .*an array/);
  assert.throws(() => sum(x, { dim: 0.5 }), /sum: dim must be a whole number but is 0.5/);
  x.dispose();
});

run();
