import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { type Conv2dOpOptions, conv2d, type Pair } from '../../src/ops/conv2d.ts';
import type { Shape } from '../../src/shape.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run, seeded, uniform } from '../harness.ts';

const both = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

function reference([x, weight, bias]: Reference[], options: Conv2dOpOptions): Reference {
  const [n, c, h, w] = x!.shape as [number, number, number, number];
  const [o, , r, s] = weight!.shape as [number, number, number, number];
  const [strideH, strideW] = both(options.stride ?? 1);
  const [padH, padW] = both(options.padding ?? 0);
  const [dilationH, dilationW] = both(options.dilation ?? 1);
  const p = Math.floor((h + 2 * padH - dilationH * (r - 1) - 1) / strideH) + 1;
  const q = Math.floor((w + 2 * padW - dilationW * (s - 1) - 1) / strideW) + 1;
  const y = new Float64Array(n * o * p * q);
  for (let i = 0; i < y.length; i++) {
    const [image, out, row, col] = [
      Math.floor(i / (o * p * q)),
      Math.floor(i / (p * q)) % o,
      Math.floor(i / q) % p,
      i % q,
    ];
    let sum = bias ? bias.data[out]! : 0;
    for (let channel = 0; channel < c; channel++) {
      for (let a = 0; a < r; a++) {
        const top = row * strideH - padH + a * dilationH;
        if (top < 0 || top >= h) continue;
        for (let b = 0; b < s; b++) {
          const left = col * strideW - padW + b * dilationW;
          if (left < 0 || left >= w) continue;
          sum +=
            weight!.data[((out * c + channel) * r + a) * s + b]! *
            x!.data[((image * c + channel) * h + top) * w + left]!;
        }
      }
    }
    y[i] = options.relu ? Math.max(sum, 0) : sum;
  }
  return { shape: [n, o, p, q], data: y };
}

const CASES: [x: Shape, weight: Shape, bias: boolean, options: Conv2dOpOptions][] = [
  [[1, 1, 1, 1], [1, 1, 1, 1], true, {}],
  [[3, 1, 12, 12], [6, 1, 5, 5], true, {}],
  [[2, 3, 9, 7], [5, 3, 3, 3], false, {}],
  [[2, 17, 5, 6], [33, 17, 1, 1], true, {}],
  [[2, 4, 9, 11], [3, 4, 1, 1], true, { stride: 2 }],
  [[1, 3, 16, 13], [4, 3, 3, 3], true, { stride: 2, padding: 1 }],
  [[2, 2, 11, 12], [3, 2, 3, 3], false, { stride: 3 }],
  [[2, 3, 10, 8], [2, 3, 2, 4], true, { stride: [3, 2], padding: [1, 2], dilation: [2, 1] }],
  [[1, 2, 9, 9], [3, 2, 3, 3], true, { padding: 2, dilation: 2 }],
  [[1, 2, 13, 12], [3, 2, 3, 3], true, { stride: 2, padding: 3, dilation: 3 }],
  // Kernels larger than the image.
  [[2, 1, 3, 2], [2, 1, 5, 5], true, { padding: 2 }],
  [[1, 2, 1, 4], [2, 2, 3, 7], true, { padding: [1, 3] }],
  // A row of pixels under a kernel of more than 32 taps in a row.
  [[2, 1, 1, 50], [3, 1, 1, 37], true, { padding: [0, 4] }],
  // Tiles of one pixel in 32 images; of the end of one and the beginning of the next in 33.
  [[32, 2, 6, 5], [5, 2, 3, 3], true, {}],
  [[33, 3, 5, 6], [4, 3, 3, 3], true, { stride: 2, padding: 1 }],
  [[64, 1, 8, 8], [3, 1, 5, 5], true, { padding: 4 }],
  // Lines of one piece and of several, whole or not, of odd lengths; more padding than kernel; rows of the kernel left out.
  [[9, 2, 6, 21], [17, 2, 3, 2], true, { padding: [1, 0] }],
  [[3, 2, 9, 30], [5, 2, 4, 3], true, {}],
  [[2, 1, 8, 29], [3, 1, 7, 7], true, { padding: 3 }],
  [[10, 3, 4, 12], [18, 3, 3, 6], false, { padding: [2, 5] }],
  [[7, 2, 5, 3], [3, 2, 2, 2], true, { padding: 4 }],
  [[8, 3, 8, 8], [16, 3, 3, 3], true, { padding: 1 }],
  // Several tiles of rows, columns and depths.
  [[5, 9, 12, 12], [67, 9, 5, 5], true, {}],
  // Few outputs of many depths, which are cut into slices; and few taps of many pixels.
  [[1, 130, 4, 4], [3, 130, 3, 3], true, { padding: 1 }],
  [[24, 1, 14, 13], [2, 1, 3, 3], true, { padding: 1 }],
];

for (const [x, weight, bias, options] of CASES) {
  const shapes = bias ? [x, weight, [weight[0]!]] : [x, weight];
  checkOp(
    `conv2d ${JSON.stringify(options)}`,
    ([x, weight, bias]) => conv2d(x!, weight!, bias ?? null, options),
    (inputs) => reference(inputs, options),
    { shapes: [shapes], rtol: 2e-5, atol: 2e-5 },
  );
}

checkOp(
  'conv2d with relu',
  ([x, weight, bias]) => conv2d(x!, weight!, bias!, { relu: true, padding: 1 }),
  (inputs) => reference(inputs, { relu: true, padding: 1 }),
  // No output so near to 0 that the reference's difference would step over it.
  { shapes: [[[3, 2, 7, 5], [6, 2, 3, 3], [6]]], step: 1e-7, gradientTolerance: 5e-4, rtol: 2e-5, atol: 2e-5 },
);

gpuTest('conv2d gives each input the gradient it has alone', async (gpu) => {
  const random = seeded(5);
  const shapes: Shape[] = [[2, 3, 6, 7], [4, 3, 3, 3], [4]];
  const data = shapes.map((shape) => uniform(shape, random));
  const dy = uniform([2, 4, 4, 5], random);
  const gradients = async (wanted: readonly number[]) => {
    const inputs = shapes.map((shape, i) => tensor(gpu, data[i]!, shape));
    for (const i of wanted) inputs[i]!.requiresGrad = true;
    tidy(() => backward(conv2d(inputs[0]!, inputs[1]!, inputs[2]!), tensor(gpu, dy, [2, 4, 4, 5])));
    const read = await Promise.all(inputs.map((x) => x.grad?.read() ?? null));
    for (const x of inputs) {
      x.grad?.dispose();
      x.dispose();
    }
    return read;
  };
  const all = await gradients([0, 1, 2]);
  for (const alone of [0, 1, 2]) {
    const one = await gradients([alone]);
    assert.equal(one[alone], all[alone]);
    assert.is(one.filter(Boolean).length, 1);
  }
});

gpuTest('conv2d passes NaN on to the windows that hold it, relu or not, and back', async (gpu) => {
  for (const relu of [false, true]) {
    const x = tensor(gpu, [1, 2, 3, 4, 5, Number.NaN, 7, 8, 9], [1, 1, 3, 3]);
    const weight = tensor(gpu, [1, 1, 1, 1], [1, 1, 2, 2]);
    x.requiresGrad = true;
    const y = tidy(() => {
      const out = conv2d(x, weight, null, { relu });
      backward(out, tensor(gpu, [1, 1, Number.NaN, 1], [1, 1, 2, 2]));
      return out;
    });
    const exact = { rtol: 0, atol: 0 };
    assertClose('y', await y.read(), [12, Number.NaN, 24, Number.NaN], exact);
    assertClose(
      'dx',
      await x.grad!.read(),
      [1, 2, 1, ...[Number.NaN, Number.NaN, 2], ...[Number.NaN, Number.NaN, 1]],
      exact,
    );
    for (const t of [x.grad!, x, weight, y]) t.dispose();
  }
});

gpuTest('conv2d of no images, of no channels', async (gpu) => {
  const weight = tensor(gpu, uniform([2, 3, 3, 3], seeded(1)), [2, 3, 3, 3]);
  const bias = tensor(gpu, [1, 2]);
  const none = tensor(gpu, new Float32Array(0), [0, 3, 4, 4]);
  weight.requiresGrad = true;
  const y = tidy(() => {
    const out = conv2d(none, weight, bias);
    backward(out, tensor(gpu, new Float32Array(0), [0, 2, 2, 2]));
    return out;
  });
  assert.equal(y.shape, [0, 2, 2, 2]);
  assert.ok((await weight.grad!.read()).every((g) => g === 0));
  const plain = tidy(() =>
    conv2d(tensor(gpu, new Float32Array(0), [1, 0, 2, 2]), tensor(gpu, new Float32Array(0), [2, 0, 2, 2]), bias),
  );
  assert.equal(Array.from(await plain.read()), [1, 2]);
  for (const t of [weight.grad!, weight, bias, none, y, plain]) t.dispose();
});

gpuTest('conv2d refuses what does not fit', (gpu) => {
  tidy(() => {
    const make = (...shape: number[]) => tensor(gpu, uniform(shape, seeded(1)), shape);
    const x = make(2, 1, 6, 7);
    assert.throws(
      () => conv2d(x, make(8, 3, 5, 5), null),
      /conv2d: weight has 3 input channels \[8,3,5,5\] but x has 1 \[2,1,6,7\]; make them equal/,
    );
    assert.throws(() => conv2d(make(6, 7), make(8, 1, 5, 5), null), /x must be \[n, c, h, w\] but is \[6,7\]/);
    assert.throws(() => conv2d(x, make(8, 5, 5), null), /weight must be \[o, c, r, s\] but is \[8,5,5\]/);
    assert.throws(() => conv2d(x, make(8, 1, 5, 5), make(7)), /bias must be \[8\] but is \[7\]/);
    assert.throws(
      () => conv2d(x, make(8, 1, 3, 3), null, { dilation: 3 }),
      /a kernel \[8,1,3,3\] with dilation \[3,3\] does not fit into x \[2,1,6,7\] with padding \[0,0\]/,
    );
    const weight = make(8, 1, 3, 3);
    assert.throws(
      () => conv2d(x, weight, null, { groups: 4 } as never),
      /conv2d: unknown option groups; its options are stride, padding, dilation, relu/,
    );
    assert.throws(() => conv2d(x, weight, null, { padding: 'same' } as never), /padding must be .* but is 'same'/);
    assert.throws(() => conv2d(x, weight, { stride: 2 } as never), /conv2d: bias must be a tensor but is an Object/);
    assert.throws(() => conv2d(x, weight, null, 2 as never), /conv2d: expected an options object.*\{ stride: 2 \}/);
    assert.throws(
      () => conv2d(x, weight, null, { stride: 0 }),
      /stride must be a whole number >= 1, or \[h, w\] of two but is 0/,
    );
    assert.throws(
      () => conv2d(x, weight, null, { padding: [1, -1] }),
      /padding must be a whole number >= 0, or \[h, w\] of two but is .*an array/,
    );
    assert.throws(
      () => conv2d(x, weight, null, { dilation: 1.5 }),
      /dilation must be a whole number >= 1, .* but is 1.5/,
    );
  });
});

run();
