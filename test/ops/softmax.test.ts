import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { softmax } from '../../src/ops/softmax.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { alongDimension, assertClose, checkOp, gpuTest, type Reference, run, uniform } from '../harness.ts';

/** The softmax of each row along a dimension, in double precision. */
function reference({ shape, data }: Reference, temperature: number, dim = -1): Reference {
  return alongDimension({ shape, data }, dim, (row) => {
    const m = row.reduce((a, v) => Math.max(a, v));
    const e = row.map((v) => Math.exp((v - m) / temperature));
    const s = e.reduce((a, v) => a + v);
    return e.map((v) => v / s);
  });
}

// Rows and columns around the 64 invocations of a workgroup, and the powers of two that lanes come in.
const SHAPES = [
  [1],
  [10],
  [3, 4, 5],
  [1, 1],
  [63, 2],
  [64, 10],
  [65, 31],
  [257, 7],
  [5, 63],
  [3, 64],
  [2, 65],
  [2, 1009],
];

for (const temperature of [1, 0.1, 4]) {
  checkOp(
    `softmax at ${temperature}`,
    ([x]) => softmax(x!, { temperature }),
    ([x]) => reference(x!, temperature),
    {
      shapes: SHAPES.map((shape) => [shape]),
      fill: (shape, random) => uniform(shape, random, 2 * temperature),
      step: 1e-4 * temperature,
    },
  );
}
checkOp(
  'softmax of +-20 at 0.1',
  ([x]) => softmax(x!, { temperature: 0.1 }),
  ([x]) => reference(x!, 0.1),
  { shapes: [[[64, 10]]], fill: (shape, random) => uniform(shape, random, 20), step: 1e-5, gradientTolerance: 1e-3 },
);

// Rows along other dimensions than the last: few and many lanes, and neighbours 2 to 257 elements apart.
const DIMS: [dim: number, shape: number[]][] = [
  [0, [1, 1]],
  [0, [2, 3]],
  [-2, [64, 10]],
  [0, [65, 31]],
  [0, [257, 2]],
  [0, [1009, 7]],
  [1, [3, 4, 5]],
  [-3, [3, 4, 5]],
  [1, [2, 300, 3]],
  [1, [2, 10, 8, 8]],
  [2, [2, 3, 5, 257]],
];
for (const [dim, shape] of DIMS) {
  checkOp(
    `softmax along ${dim} at 0.5`,
    ([x]) => softmax(x!, { dim, temperature: 0.5 }),
    ([x]) => reference(x!, 0.5, dim),
    { shapes: [[shape]], step: 1e-5 },
  );
}

gpuTest('softmax of extremes: logits of 1e4 at T = 0.01, equal rows, infinities, NaN', async (gpu) => {
  const [low, high, nan] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN];
  const x = tensor(gpu, [
    [1e4, -1e4, 0],
    [-1e4, -1e4, -1e4],
    [3e38, -3e38, 3e38],
    [low, 0, low],
    [0, nan, 0],
    [high, 0, 0],
    [low, low, low],
  ]);
  x.requiresGrad = true;
  const y = tidy(() => {
    const y = softmax(x, { temperature: 0.01 });
    backward(y, tensor(gpu, new Float32Array(21).fill(1), [7, 3]));
    return y;
  });
  const third = 1 / 3;
  const head = [1, 0, 0, third, third, third, 0.5, 0, 0.5, 0, 1, 0];
  assertClose('softmax', await y.read(), [...head, ...new Array(9).fill(nan)], { rtol: 1e-6, atol: 1e-30 });
  const dx = await x.grad!.read();
  assertClose('gradient', dx, [...new Array(12).fill(0), ...new Array(9).fill(nan)], { rtol: 0, atol: 1e-4 });
  zeroGrad([x]);
  for (const held of [x, y]) held.dispose();
});

gpuTest('softmax beyond 65,535 workgroups, and of nothing', async (gpu) => {
  const rows = 64 * 65535 + 100;
  const y = tidy(() => softmax(tensor(gpu, new Float32Array(rows), [rows, 1])));
  const values = await y.read();
  assert.is(
    values.findIndex((v) => v !== 1),
    -1,
  );
  y.dispose();
  for (const shape of [[0, 3], [3, 0], [0]]) {
    const none = tidy(() => softmax(tensor(gpu, new Float32Array(0), shape)));
    assert.equal(none.shape, shape);
    none.dispose();
  }
});

gpuTest('softmax of a single number is 1, and at the lowest temperature the largest takes all', async (gpu) => {
  const [one, sharp, flat] = tidy(() => [
    softmax(tensor(gpu, 5)),
    softmax(tensor(gpu, [1, 0]), { temperature: 1e-30 }),
    softmax(tensor(gpu, [3e38, -3e38]), { temperature: 1e30 }),
  ]);
  assert.equal([one.shape, await one.item()], [[], 1]);
  assert.equal([...(await sharp.read()), ...(await flat.read())], [1, 0, 1, 0]);
  for (const held of [one, sharp, flat]) held.dispose();
});

gpuTest('softmax along the first dimension keeps NaN in its column', async (gpu) => {
  const nan = Number.NaN;
  const y = tidy(() =>
    softmax(
      tensor(gpu, [
        [1, nan, 0],
        [1, 0, Number.POSITIVE_INFINITY],
      ]),
      { dim: 0 },
    ),
  );
  assert.equal([...(await y.read())], [0.5, nan, nan, 0.5, nan, nan]);
  y.dispose();
});

gpuTest('softmax refuses what does not fit', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [1, 2]);
    // 1 / 1e-40 does not fit f32.
    for (const temperature of [0, -1, 1e-40, 1e-46, 1e39, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(
        () => softmax(x, { temperature }),
        /softmax: temperature must be a number from 1e-30 to 1e\+30 but is/,
      );
    assert.throws(() => softmax(x, { dim: 1 }), /softmax: dim is 1, but x is \[2\]; .* from -1 to 0/);
    assert.throws(() => softmax(x, { axis: 0 } as never), /softmax: unknown option axis; did you mean dim\?/);
    assert.throws(() => softmax(x, 0 as never), /softmax: expected an options object .*\{ dim: 0 \}/);
  });
});

run();
