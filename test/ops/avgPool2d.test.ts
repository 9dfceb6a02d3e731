import * as assert from 'uvu/assert';
import { avgPool2d } from '../../src/ops/avgPool2d.ts';
import type { Pool2dOptions } from '../../src/ops/maxPool2d.ts';
import type { Shape } from '../../src/shape.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, type Reference, run } from '../harness.ts';

function reference({ shape, data }: Reference, { kernelSize, stride = kernelSize, padding = 0 }: Pool2dOptions) {
  const [n, c, h, w] = shape as [number, number, number, number];
  const [p, q] = [h, w].map((size) => Math.floor((size + 2 * padding - kernelSize) / stride) + 1) as [number, number];
  const y = new Float64Array(n * c * p * q);
  y.forEach((_, i) => {
    const [top, left] = [(Math.floor(i / q) % p) * stride - padding, (i % q) * stride - padding];
    const plane = Math.floor(i / p / q) * h;
    for (let r = Math.max(top, 0); r < Math.min(top + kernelSize, h); r++) {
      for (let s = Math.max(left, 0); s < Math.min(left + kernelSize, w); s++)
        y[i]! += data[(plane + r) * w + s]! / kernelSize ** 2;
    }
  });
  return { shape: [n, c, p, q], data: y };
}

const CASES: [Pool2dOptions, Shape[]][] = [
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
];

for (const [options, shapes] of CASES) {
  const { kernelSize, stride = kernelSize, padding = 0 } = options;
  checkOp(
    `avgPool2d ${kernelSize} by ${stride}, padding ${padding}`,
    ([x]) => avgPool2d(x!, options),
    ([x]) => reference(x!, options),
    { shapes: shapes.map((shape) => [shape]) },
  );
}

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
    assert.throws(() => avgPool2d(x, { kernelSize: 5 }), /avgPool2d: a window of 5 does not fit into x \[1,1,4,4\]/);
    assert.throws(() => avgPool2d(x, { kernelSize: 3, padding: 2 }), /avgPool2d: padding 2 is more than half/);
  });
});

run();
