import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { logSoftmax } from '../../src/ops/softmax.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { alongDimension, assertClose, checkOp, gpuTest, type Reference, run, uniform } from '../harness.ts';

/** The logarithm of the softmax of each row along a dimension, in double precision. */
function reference({ shape, data }: Reference, temperature: number, dim = -1): Reference {
  return alongDimension({ shape, data }, dim, (row) => {
    const m = row.reduce((a, v) => Math.max(a, v));
    const logSum = Math.log(row.reduce((s, v) => s + Math.exp((v - m) / temperature), 0));
    return row.map((v) => (v - m) / temperature - logSum);
  });
}

for (const temperature of [1, 0.1]) {
  checkOp(
    `logSoftmax at ${temperature}`,
    ([x]) => logSoftmax(x!, { temperature }),
    ([x]) => reference(x!, temperature),
    {
      shapes: [[1], [3, 4, 5], [63, 2], [64, 10], [65, 31], [3, 64], [2, 65], [2, 1009]].map((shape) => [shape]),
      fill: (shape, random) => uniform(shape, random, 2),
      step: 1e-4 * temperature,
    },
  );
}

for (const [dim, shape] of [
  [0, [2, 3]],
  [0, [65, 31]],
  [-2, [257, 2]],
  [1, [3, 4, 5]],
  [-3, [3, 4, 5]],
  [1, [2, 10, 8, 8]],
] as const) {
  checkOp(
    `logSoftmax along ${dim} at 0.5`,
    ([x]) => logSoftmax(x!, { dim, temperature: 0.5 }),
    ([x]) => reference(x!, 0.5, dim),
    { shapes: [[shape]], step: 1e-5 },
  );
}

gpuTest('logSoftmax of logits whose difference is beyond f32, though not when divided by T', async (gpu) => {
  const y = tidy(() => logSoftmax(tensor(gpu, [3e38, -3e38]), { temperature: 10 }));
  assertClose('logSoftmax', await y.read(), [0, -6e37], { rtol: 1e-6, atol: 0 });
  y.dispose();
});

gpuTest('logSoftmax of extremes: logits of 1e4 at T = 0.01, equal rows, infinities, NaN', async (gpu) => {
  const [low, high, nan] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN];
  const x = tensor(gpu, [
    [1e4, -1e4, 0],
    [-1e4, -1e4, -1e4],
    [low, 0, 0],
    [0, nan, 0],
    [high, 0, 0],
    [low, low, low],
  ]);
  x.requiresGrad = true;
  const y = tidy(() => {
    const y = logSoftmax(x, { temperature: 0.01 });
    backward(y, tensor(gpu, new Float32Array(18).fill(1), [6, 3]));
    return y;
  });
  const [l2, l3] = [-Math.log(2), -Math.log(3)];
  const head = [0, -2e6, -1e6, l3, l3, l3, low, l2, l2];
  assertClose('logSoftmax', await y.read(), [...head, ...new Array(9).fill(nan)], { rtol: 1e-6, atol: 1e-6 });
  const dx = [-200, 100, 100, 0, 0, 0, 100, -50, -50, ...new Array(9).fill(nan)];
  assertClose('gradient', await x.grad!.read(), dx, { rtol: 1e-5, atol: 1e-4 });
  zeroGrad([x]);
  for (const held of [x, y]) held.dispose();
});

gpuTest('logSoftmax refuses what does not fit', (gpu) => {
  tidy(() => {
    assert.throws(() => logSoftmax(tensor(gpu, [1, 2]), { temperature: 0 }), /logSoftmax: temperature must be/);
    assert.throws(() => logSoftmax(tensor(gpu, 1), { dim: 1 }), /logSoftmax: dim is 1, but x is \[\]/);
    assert.throws(() => logSoftmax(tensor(gpu, 1), { axis: 0 } as never), /unknown option axis; did you mean dim\?/);
  });
});

run();
