import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { maxPool2d, type Pool2dOptions } from '../../src/ops/maxPool2d.ts';
import { relu } from '../../src/ops/relu.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, type Reference, run, seeded } from '../harness.ts';
import { poolCount } from './elementwise.ts';

interface Pooled {
  shape: Shape;
  values: number[];
  /** Index of each value in x. */
  where: number[];
}

/** PyTorch's loop: the first of equals, and whatever comes after a NaN only if it is one too. */
function pool(
  shape: Shape,
  x: ArrayLike<number>,
  { kernelSize, stride = kernelSize, padding = 0, ceilMode = false }: Pool2dOptions,
): Pooled {
  const [n, c, h, w] = shape as [number, number, number, number];
  const [p, q] = [h, w].map((size) => poolCount(size, kernelSize, stride, padding, ceilMode)) as [number, number];
  const values: number[] = [];
  const where: number[] = [];
  for (let plane = 0; plane < n * c; plane++) {
    for (let i = 0; i < p * q; i++) {
      const [top, left] = [Math.floor(i / q) * stride - padding, (i % q) * stride - padding];
      let best = Number.NEGATIVE_INFINITY;
      let at = -1;
      for (let r = Math.max(top, 0); r < Math.min(top + kernelSize, h); r++) {
        for (let s = Math.max(left, 0); s < Math.min(left + kernelSize, w); s++) {
          const k = (plane * h + r) * w + s;
          if (at < 0 || x[k]! > best || Number.isNaN(x[k]!)) [best, at] = [x[k]!, k];
        }
      }
      values.push(best);
      where.push(at);
    }
  }
  return { shape: [n, c, p, q], values, where };
}

// All values differ, and by more than a difference quotient's step moves them.
const distinct = (shape: Shape, random: () => number): Float32Array => {
  const size = sizeOf(shape);
  const order = Array.from({ length: size }, (_, i) => [random(), i] as const).sort(([a], [b]) => a - b);
  return Float32Array.from(order, ([, i]) => 2.0005 * ((i + 0.5) / size) - 1);
};

const CASES: [Pool2dOptions, Shape[]][] = [
  // Halves of even images eight pixels wide, a lane's loop (16), a workgroup's, and more than one; then those that are not.
  [
    { kernelSize: 2 },
    [
      [1, 1, 2, 8],
      [3, 5, 4, 24],
      [2, 2, 2, 40],
      [9, 1, 16, 8],
      [7, 13, 6, 16],
      [2, 1, 2, 1040],
    ],
  ],
  [
    { kernelSize: 2 },
    [
      [1, 1, 2, 2],
      [2, 3, 7, 8],
      [2, 3, 6, 7],
      [1, 2, 5, 12],
      [3, 31, 9, 5],
    ],
  ],
  [
    { kernelSize: 3 },
    [
      [1, 1, 3, 3],
      [2, 2, 8, 10],
    ],
  ],
  [
    { kernelSize: 3, stride: 2, padding: 1 },
    [
      [1, 2, 7, 7],
      [2, 3, 8, 5],
      [1, 1, 1, 1],
    ],
  ],
  [
    { kernelSize: 3, stride: 1, padding: 1 },
    [
      [2, 2, 6, 8],
      [1, 1, 2, 1],
    ],
  ],
  [
    { kernelSize: 2, stride: 3 },
    [
      [1, 2, 9, 9],
      [1, 1, 3, 8],
    ],
  ],
  [{ kernelSize: 2, stride: 1 }, [[2, 1, 4, 8]]],
  [
    { kernelSize: 2, padding: 1 },
    [
      [2, 1, 4, 8],
      [1, 1, 1, 1],
    ],
  ],
  [{ kernelSize: 5, stride: 2, padding: 2 }, [[1, 2, 11, 9]]],
  [{ kernelSize: 1, stride: 1 }, [[1, 2, 3, 5]]],
  [
    { kernelSize: 2, ceilMode: true },
    [
      [1, 1, 5, 5],
      [2, 3, 7, 8],
      [1, 1, 4, 8],
      [1, 1, 1, 1],
    ],
  ],
  [{ kernelSize: 3, stride: 2, ceilMode: true }, [[2, 2, 6, 8]]],
  // The last window would start in the padding after the image, and is left out.
  [{ kernelSize: 2, padding: 1, ceilMode: true }, [[1, 2, 4, 5]]],
  [{ kernelSize: 3, stride: 2, padding: 1, ceilMode: true }, [[2, 3, 6, 8]]],
  [{ kernelSize: 2, stride: 3, ceilMode: true }, [[1, 2, 9, 10]]],
];

const title = ({ kernelSize, stride = kernelSize, padding = 0, ceilMode = false }: Pool2dOptions): string =>
  `${kernelSize} by ${stride}, padding ${padding}${ceilMode ? ', ceil' : ''}`;

for (const [options, shapes] of CASES) {
  for (const rectified of [false, true]) {
    checkOp(
      `maxPool2d ${title(options)}${rectified ? ' relu' : ''}`,
      ([x]) => maxPool2d(x!, { ...options, relu: rectified }),
      ([x]): Reference => {
        const { shape, values } = pool(x!.shape, x!.data, options);
        return { shape, data: Float64Array.from(values, (v) => (rectified ? Math.max(v, 0) : v)) };
      },
      { shapes: shapes.map((shape) => [shape]), fill: distinct, step: 1e-5, rtol: 0, atol: 0 },
    );
  }
}

// Few values, so that most windows hold equals; infinities and NaN among them.
const rough = [0, 0, -1, 1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN];

for (const [options, shapes] of CASES) {
  gpuTest(`maxPool2d ${title(options)}: equals, infinities and NaN as in PyTorch`, async (gpu) => {
    for (const [kinds, shape] of shapes.flatMap((shape) => [2, 4, 7].map((k) => [k, shape] as const))) {
      const random = seeded(kinds);
      const values = Float32Array.from({ length: sizeOf(shape) }, () => rough[Math.floor(random() * kinds)]!);
      const expected = pool(shape, values, options);
      const x = tensor(gpu, values, shape);
      const dy = tensor(
        gpu,
        Float32Array.from(expected.values, (_, i) => i + 1),
        expected.shape,
      );
      x.requiresGrad = true;
      const y = tidy(() => {
        const out = maxPool2d(x, options);
        backward(out, dy);
        return out;
      });
      assert.equal([...(await y.read())], expected.values, `${shape}`);
      const dx = new Float32Array(values.length);
      expected.where.forEach((at, i) => {
        dx[at]! += i + 1;
      });
      assert.equal(await x.grad!.read(), dx, `${shape}`);
      for (const t of [x, dy, y, x.grad!]) t.dispose();
    }
  });
}

gpuTest('maxPool2d with relu is maxPool2d of relu, its gradient too', async (gpu) => {
  for (const [options, shapes] of CASES) {
    const shape = shapes[0]!;
    const random = seeded(3);
    const x = tensor(
      gpu,
      Float32Array.from({ length: sizeOf(shape) }, () => [-1, 0, 0.5, Number.NaN][Math.floor(random() * 4)]!),
      shape,
    );
    x.requiresGrad = true;
    const results = [];
    for (const fused of [true, false]) {
      const y = tidy(() => {
        const out = fused ? maxPool2d(x, { ...options, relu: true }) : maxPool2d(relu(x), options);
        backward(
          out,
          tensor(
            gpu,
            Float32Array.from({ length: out.size }, (_, i) => i + 1),
            out.shape,
          ),
        );
        return out;
      });
      results.push([...(await y.read()), ...(await x.grad!.read())]);
      y.dispose();
      x.grad!.dispose();
      x.grad = null;
    }
    assert.equal(results[0], results[1], title(options));
    x.dispose();
  }
});

gpuTest('maxPool2d of no images is empty', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, new Float32Array(0), [0, 3, 4, 8]);
    assert.equal(maxPool2d(x, { kernelSize: 2 }).shape, [0, 3, 2, 4]);
  });
});

gpuTest('maxPool2d refuses what does not fit', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, new Float32Array(32), [1, 2, 4, 4]);
    assert.throws(
      () => maxPool2d(x, { kernelSize: 5 }),
      /maxPool2d: a window of 5 does not fit into x \[1,2,4,4\] with padding 0; take a smaller one/,
    );
    assert.throws(
      () => maxPool2d(x, { kernelSize: 3, padding: 2 }),
      /padding 2 is more than half of kernelSize 3; some windows would hold no pixel/,
    );
    assert.throws(() => maxPool2d(x, { kernelSize: 1.5 }), /kernelSize must be a whole number >= 1 but is 1.5/);
    assert.throws(() => maxPool2d(x, { kernelSize: 2, stride: 0 }), /stride must be a whole number >= 1 but is 0/);
    assert.throws(() => maxPool2d(x, { kernelSize: 2, padding: -1 }), /padding must be a whole number >= 0 but is -1/);
    assert.throws(
      () => maxPool2d(x, { kernelSize: 5, stride: 1, ceilMode: true }),
      /a window of 5 does not fit into x/,
    );
    assert.throws(() => maxPool2d(x, 2 as never), /maxPool2d: expected an options object.*\{ kernelSize: 2 \}/);
    assert.throws(() => maxPool2d(x, {} as never), /maxPool2d: kernelSize is missing from the options/);
    for (const [options, message] of [
      [{ ceil_mode: true }, /unknown option ceil_mode; did you mean ceilMode\?/],
      [{ countIncludePad: true }, /maxPool2d: unknown option countIncludePad; its options are kernelSize/],
      [{ dilation: 2 }, /unknown option dilation/],
      [{ ceilMode: 1 }, /ceilMode must be true or false but is 1/],
    ] as const)
      assert.throws(() => maxPool2d(x, { kernelSize: 2, ...options } as never), message);
    assert.throws(() => maxPool2d(x, { kernelSize: [2, 2] } as never), /kernelSize must be a whole number >= 1/);
    const rows = tensor(gpu, [1, 2, 3]);
    assert.throws(() => maxPool2d(rows, { kernelSize: 1 }), /x must be \[n,c,h,w\] but is \[3\]/);
    const labels = tensor(gpu, new Uint32Array(4), [1, 1, 2, 2]);
    assert.throws(() => maxPool2d(labels, { kernelSize: 1 }), /x must be f32 but is u32/);
  });
});

run();
