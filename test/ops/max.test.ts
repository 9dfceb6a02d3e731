import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { max } from '../../src/ops/max.ts';
import { sizeOf } from '../../src/shape.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run } from '../harness.ts';

function reference({ shape, data }: Reference, dim?: number): Reference {
  if (dim === undefined) return { shape: [], data: Float64Array.of(data.reduce((a, v) => Math.max(a, v))) };
  const axis = (dim + shape.length) % Math.max(1, shape.length);
  const rest = shape.toSpliced(axis, 1);
  const [n, inner] = [shape[axis] ?? 1, sizeOf(shape.slice(axis + 1))];
  const y = new Float64Array(sizeOf(rest)).fill(Number.NEGATIVE_INFINITY);
  for (const [i, v] of data.entries()) {
    const at = Math.floor(i / (n * inner)) * inner + (i % inner);
    y[at] = Math.max(y[at]!, v);
  }
  return { shape: rest, data: y };
}

const CASES: [shape: number[], dims: (number | undefined)[]][] = [
  [[], [undefined, 0]],
  [[1], [undefined, 0]],
  [[65], [undefined, -1]],
  [[70001], [undefined, 0]],
  [
    [3, 4, 5],
    [undefined, 0, 1, 2],
  ],
  [
    [64, 31],
    [0, 1],
  ],
  [
    [1009, 10],
    [0, -1],
  ],
  [[2, 300, 3], [1]],
  [[3, 5000], [1]],
];

for (const [shape, dims] of CASES) {
  for (const dim of dims) {
    const options = dim === undefined ? {} : { dim };
    checkOp(
      `max along ${dim}`,
      ([x]) => max(x!, options),
      ([x]) => reference(x!, dim),
      {
        shapes: [[shape]],
        // Numbers that are all different, so that the largest stays it under the step of the difference.
        fill: (shape, random) => {
          const size = sizeOf(shape);
          const values = Float32Array.from({ length: size }, (_, i) => (i + 0.5) / size);
          for (let i = size - 1; i > 0; i--) {
            const j = Math.floor(random() * (i + 1));
            [values[i], values[j]] = [values[j]!, values[i]!];
          }
          return values;
        },
        step: 1e-7,
      },
    );
  }
}

gpuTest('max keeps the dimension if asked to, forward and backward', async (gpu) => {
  const x = tensor(gpu, [
    [1, 5, 2],
    [9, 0, 3],
  ]);
  x.requiresGrad = true;
  const [rows, all] = tidy(() => {
    const rows = max(x, { dim: 1, keepdim: true });
    backward(rows, tensor(gpu, [[10], [20]]));
    return [rows, max(x, { keepdim: true })];
  });
  assert.equal(
    [rows.shape, all.shape],
    [
      [2, 1],
      [1, 1],
    ],
  );
  assert.equal([...(await rows.read()), await all.item()], [5, 9, 9]);
  assert.equal([...(await x.grad!.read())], [0, 10, 0, 20, 0, 0]);
  zeroGrad([x]);
  for (const held of [x, rows, all]) held.dispose();
});

/** The maximum of rows of numbers and its gradient. */
async function ask(gpu: Gpu, rows: number[][], dim?: number): Promise<[y: number[], dx: number[]]> {
  const x = tensor(gpu, rows);
  x.requiresGrad = true;
  const y = tidy(() => {
    const y = max(x, dim === undefined ? {} : { dim });
    backward(y, tensor(gpu, new Float32Array(y.size).fill(6), y.shape));
    return y;
  });
  const result: [number[], number[]] = [[...(await y.read())], [...(await x.grad!.read())]];
  zeroGrad([x]);
  for (const held of [x, y]) held.dispose();
  return result;
}

gpuTest('max sends the gradient of ties to the first along a dimension, and to all evenly without one', async (gpu) => {
  const ties = [
    [1, 3, 3],
    [3, 0, -1],
  ];
  assert.equal(await ask(gpu, ties, 1), [
    [3, 3],
    [0, 6, 0, 6, 0, 0],
  ]);
  assert.equal(await ask(gpu, ties, 0), [
    [3, 3, 3],
    [0, 6, 6, 6, 0, 0],
  ]);
  assert.equal(await ask(gpu, ties), [[3], [0, 2, 2, 2, 0, 0]]);
});

gpuTest('max takes NaN for the largest, and minus infinity for a number', async (gpu) => {
  const [nan, low] = [Number.NaN, Number.NEGATIVE_INFINITY];
  const exact = { rtol: 0, atol: 0 };
  const rows = [
    [nan, 9, nan],
    [low, low, low],
  ];
  const [y, dx] = await ask(gpu, rows, 1);
  assertClose('max', y, [nan, low], exact);
  assertClose('gradient', dx, [6, 0, 0, 6, 0, 0], exact);
  const [all, dAll] = await ask(gpu, rows);
  assertClose('max of all', all, [nan], exact);
  assertClose('gradient of all', dAll, [3, 0, 3, 0, 0, 0], exact);
});

gpuTest('max refuses nothing, and a dimension that is none', (gpu) => {
  tidy(() => {
    const none = tensor(gpu, new Float32Array(0), [0, 3]);
    assert.throws(() => max(none), /max: x is \[0,3\], which leaves nothing to choose from/);
    assert.throws(() => max(none, { dim: 0 }), /which leaves nothing to choose from/);
    assert.equal(max(none, { dim: 1 }).shape, [0]);
    assert.throws(() => max(none, { dim: 2 }), /max: dim is 2/);
  });
});

run();
