import * as assert from 'uvu/assert';
import { type AvgPool2dOptions, avgPool2d } from '../../src/ops/avgPool2d.ts';
import type { Shape } from '../../src/shape.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, type Reference, run } from '../harness.ts';
import { poolCount } from './elementwise.ts';

/** PyTorch's loop. */
function reference(
  { shape, data }: Reference,
  { kernelSize, stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true }: AvgPool2dOptions,
) {
  const [n, c, h, w] = shape as [number, number, number, number];
  const [p, q] = [h, w].map((size) => poolCount(size, kernelSize, stride, padding, ceilMode)) as [number, number];
  const y = new Float64Array(n * c * p * q);
  y.forEach((_, i) => {
    const [top, left] = [(Math.floor(i / q) % p) * stride - padding, (i % q) * stride - padding];
    const plane = Math.floor(i / p / q) * h;
    const [bottom, right] = [Math.min(top + kernelSize, h + padding), Math.min(left + kernelSize, w + padding)];
    const [firstRow, firstColumn] = [Math.max(top, 0), Math.max(left, 0)];
    const [endRow, endColumn] = [Math.min(bottom, h), Math.min(right, w)];
    const divisor = countIncludePad ? (bottom - top) * (right - left) : (endRow - firstRow) * (endColumn - firstColumn);
    for (let r = firstRow; r < endRow; r++) {
      for (let s = firstColumn; s < endColumn; s++) y[i]! += data[(plane + r) * w + s]! / divisor;
    }
  });
  return { shape: [n, c, p, q], data: y };
}

const CASES: [AvgPool2dOptions, Shape[]][] = [
  [
    { kernelSize: 2 },
    [
      [1, 1, 2, 2],
      [3, 5, 8, 24],
      [2, 3, 7, 9],
    ],
  ],
  [
    { kernelSize: 3, stride: 2, padding: 1 },
    [
      [1, 2, 7, 7],
      [4, 5, 16, 17],
      [1, 1, 1, 1],
    ],
  ],
  [{ kernelSize: 3, stride: 1, padding: 1 }, [[2, 2, 6, 8]]],
  [{ kernelSize: 2, stride: 3 }, [[1, 2, 9, 9]]],
  [{ kernelSize: 2, padding: 1 }, [[2, 1, 4, 5]]],
  [{ kernelSize: 7 }, [[9, 4, 7, 7]]],
  [
    { kernelSize: 2, padding: 1, countIncludePad: false },
    [
      [2, 1, 5, 5],
      [1, 2, 4, 7],
    ],
  ],
  [{ kernelSize: 3, stride: 1, padding: 1, countIncludePad: false }, [[2, 2, 6, 8]]],
  [
    { kernelSize: 2, ceilMode: true },
    [
      [1, 1, 5, 5],
      [2, 3, 7, 8],
      [1, 1, 1, 1],
      [1, 1, 4, 4],
    ],
  ],
  [
    { kernelSize: 3, stride: 2, padding: 1, ceilMode: true },
    [
      [2, 2, 6, 8],
      [1, 1, 4, 5],
    ],
  ],
  [
    { kernelSize: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false },
    [
      [2, 2, 6, 8],
      [1, 1, 4, 5],
    ],
  ],
  [{ kernelSize: 4, stride: 5, padding: 2, ceilMode: true }, [[1, 1, 11, 8]]],
  [{ kernelSize: 2, stride: 3, ceilMode: true }, [[1, 2, 9, 10]]],
];

for (const [options, shapes] of CASES) {
  checkOp(
    `avgPool2d ${JSON.stringify(options)}`,
    ([x]) => avgPool2d(x!, options),
    ([x]) => reference(x!, options),
    { shapes: shapes.map((shape) => [shape]) },
  );
}

gpuTest('avgPool2d of ones is one unless padding counts', async (gpu) => {
  const x = tensor(gpu, new Float32Array(25).fill(1), [1, 1, 5, 5]);
  const pools = [
    avgPool2d(x, { kernelSize: 2, padding: 1, countIncludePad: false }),
    avgPool2d(x, { kernelSize: 2, padding: 1 }),
    avgPool2d(x, { kernelSize: 2, ceilMode: true }),
    // The last windows reach two rows of pixels, one of padding, and one more that does not count.
    avgPool2d(x, { kernelSize: 4, padding: 1, ceilMode: true }),
  ];
  const [plain, padded, ceil, both] = await Promise.all(pools.map(async (y) => [...(await y.read())]));
  assert.equal(plain, new Array(9).fill(1));
  assert.equal(padded, [0.25, 0.5, 0.5, 0.5, 1, 1, 0.5, 1, 1]);
  assert.equal(ceil, new Array(9).fill(1));
  assert.equal(both, [9 / 16, 6 / 12, 6 / 12, Math.fround(4 / 9)]);
  for (const t of [x, ...pools]) t.dispose();
});

gpuTest('avgPool2d passes NaN on, to the windows that hold it', async (gpu) => {
  const x = tensor(gpu, [1, Number.NaN, 2, 3, 4, 5, 6, 7], [1, 1, 2, 4]);
  const y = avgPool2d(x, { kernelSize: 2 });
  assert.equal([...(await y.read())], [Number.NaN, 4.5]);
  x.dispose();
  y.dispose();
});

gpuTest('avgPool2d refuses what does not fit', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, new Float32Array(16), [1, 1, 4, 4]);
    assert.throws(() => avgPool2d(x, 2 as never), /avgPool2d: expected an options object.*\{ kernelSize: 2 \}/);
    assert.throws(
      () => avgPool2d(x, { kernelSize: 2, count_include_pad: false } as never),
      /unknown option count_include_pad; did you mean countIncludePad\?/,
    );
    assert.throws(() => avgPool2d(x, { kernelSize: 2, relu: true } as never), /avgPool2d: unknown option relu/);
    assert.throws(() => avgPool2d(x, { kernelSize: 5 }), /avgPool2d: a window of 5 does not fit into x \[1,1,4,4\]/);
    assert.throws(() => avgPool2d(x, { kernelSize: 3, padding: 2 }), /avgPool2d: padding 2 is more than half/);
  });
});

run();
