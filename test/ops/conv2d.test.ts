import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import { type Conv2dOpOptions, conv2d } from '../../src/ops/conv2d.ts';
import { maxPool2d } from '../../src/ops/maxPool2d.ts';
import type { Shape } from '../../src/shape.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { keep, tidy } from '../../src/tidy.ts';
import { env } from '../files.ts';
import { assertSameBits, gpuTest, run, seeded, uniform } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

/** Shapes of x, weight and, if there is one, bias. */
type Case = [shapes: string, options: Conv2dOpOptions];

const CASES: Case[] = [
  ['3x1x12x12 6x1x5x5 6', {}],
  ['1x3x16x13 4x3x3x3 4', { stride: 2, padding: 1 }],
  // Several tiles of m, n and k.
  ['5x9x12x12 67x9x5x5 67', {}],
  // Few outputs with a large k, which is split; and few weights of many pixels.
  ['1x130x4x4 3x130x3x3 3', { padding: 1 }],
  ['24x1x14x13 2x1x3x3 2', { padding: 1 }],
  // A k of whole tiles, with phases of taps and with padding.
  ['3x8x5x6 32x8x2x2 32', { stride: 2, padding: 1 }],
  ['1x32x4x3 32x32x3x3', { padding: 1 }],
  // ReLU in the epilogue.
  ['3x2x7x5 6x2x3x3 6', { relu: true, padding: 1 }],
  // A max pool in the epilogue: of one window, of several tiles, with a k that is split, and of odd sizes, which take two dispatches.
  ['1x1x2x2 1x1x1x1', { maxPool: true }],
  ['3x2x7x11 33x2x3x2 33', { maxPool: true, padding: [1, 0], stride: [2, 1] }],
  ['1x130x4x4 3x130x3x3 3', { maxPool: true, relu: true, padding: 1 }],
  ['2x2x8x7 3x2x3x3 3', { maxPool: true }],
];

// All GEMM kernels call the same functions to load their operands. Compiling a GPU's kernels for each of these shapes takes minutes on
// CPUs, so there they are left to the others.
const GEOMETRIES: Case[] = [
  ['1x1x1x1 1x1x1x1 1', {}],
  ['2x3x9x7 5x3x3x3', {}],
  ['2x17x5x6 33x17x1x1 33', {}],
  ['2x4x9x11 3x4x1x1 3', { stride: 2 }],
  ['2x2x11x12 3x2x3x3', { stride: 3 }],
  ['2x3x10x8 2x3x2x4 2', { stride: [3, 2], padding: [1, 2], dilation: [2, 1] }],
  ['1x2x9x9 3x2x3x3 3', { padding: 2, dilation: 2 }],
  ['1x2x13x12 3x2x3x3 3', { stride: 2, padding: 3, dilation: 3 }],
  // Phases that no tap reaches, an image smaller than the stride, and phases of several tiles.
  ['2x3x9x9 2x3x3x2 2', { stride: [4, 2], padding: 1, dilation: 2 }],
  ['3x2x5x8 3x2x2x2', { stride: 3 }],
  ['2x1x4x5 2x1x2x1 2', { stride: [5, 2] }],
  ['3x2x30x17 3x2x3x3', { stride: 2, padding: 1 }],
  // Kernels larger than the image.
  ['2x1x3x2 2x1x5x5 2', { padding: 2 }],
  ['1x2x1x4 2x2x3x7 2', { padding: [1, 3] }],
  // A row of pixels under a kernel of more than 32 weights in a row.
  ['5x1x1x50 3x1x1x37 3', { padding: [0, 4] }],
  // Tiles of one pixel in 32 images; of the end of one and the beginning of the next in 33.
  ['32x2x6x5 5x2x3x3 5', {}],
  ['33x3x5x6 4x3x3x3 4', { stride: 2, padding: 1 }],
  ['32x1x5x4 2x1x2x2 2', { dilation: 2 }],
  ['64x1x8x8 3x1x5x5 3', { padding: 4 }],
  // Rows of one piece and of several, whole or not, of odd lengths; more padding than kernel; rows of the kernel left out.
  ['9x2x6x21 17x2x3x2 17', { padding: [1, 0] }],
  ['3x2x9x30 5x2x4x3 5', {}],
  ['2x1x8x29 3x1x7x7 3', { padding: 3 }],
  ['10x3x4x12 18x3x3x6', { padding: [2, 5] }],
  ['7x2x5x3 3x2x2x2 3', { padding: 4 }],
  ['8x3x8x8 16x3x3x3 16', { padding: 1 }],
  // Windows in the epilogue: pieces that are a row, and several of a row; lanes without rows; images that are no multiple of 4.
  ['9x3x8x8 17x3x3x3 17', { maxPool: true, relu: true, padding: 1 }],
  ['3x2x6x24 5x2x3x5', { maxPool: true, padding: [1, 2] }],
  ['5x2x10x20 3x2x5x5 3', { maxPool: true }],
  // Squares of pixels; rows of four with two that may use the padding; rows of which 1 / length is rounded down, as
  // the 164th pixel shows.
  ['2x3x6x10 5x3x3x3 5', { padding: 1 }],
  ['1x3x14x16 4x3x7x7 4', { stride: 2, padding: 3 }],
  ['2x1x7x43 2x1x3x3 2', {}],
  // ReLU in the epilogue.
  ['9x3x8x21 17x3x3x3 17', { relu: true }],
];

const ofGpu = env('PADAGRAD_TEST_PROFILE')?.startsWith('gemm-workgroup');

for (const [shapes, options] of ofGpu ? CASES : [...CASES, ...GEOMETRIES]) {
  checkOp(
    `conv2d ${JSON.stringify(options)}`,
    (x, weight, bias) => conv2d(x!, weight!, bias ?? null, options),
    (x, weight, bias) => {
      const y = reference.conv2d(x!, weight!, bias ?? null, options);
      return options.maxPool ? reference.maxPool2d(y, { kernelSize: 2 }) : y;
    },
    {
      shapes: [shapes],
      rtol: 2e-5,
      atol: 4e-5,
      backward: (dy, x, weight, bias) => {
        const y = reference.conv2d(x!, weight!, bias ?? null, options);
        const pool = options.maxPool && reference.maxPool2d(y, { kernelSize: 2 });
        const dpool = pool ? reference.maxPool2dBackward(y.shape, pool.from, dy.data) : dy;
        const dz = options.relu ? reference.reluBackward(y, dpool) : dpool;
        return Object.values(reference.conv2dBackward(x!, weight!, dz.data, options));
      },
    },
  );
}

gpuTest('conv2d gives each input the same gradient whether or not the others want one', async (gpu) => {
  const random = seeded(5);
  const shapes: Shape[] = [[2, 3, 6, 7], [4, 3, 3, 3], [4]];
  const data = shapes.map((shape) => uniform(shape, random));
  const dy = uniform([2, 4, 4, 5], random);
  const gradients = async (wanted: readonly number[]) => {
    const inputs = shapes.map((shape, i) => tensor(gpu, data[i]!, shape));
    for (const i of wanted) inputs[i]!.requiresGrad = true;
    tidy(() => backward(conv2d(inputs[0]!, inputs[1]!, inputs[2]!), tensor(gpu, dy, [2, 4, 4, 5])));
    const read = await Promise.all(inputs.map((x) => x.grad?.read() ?? null));
    for (const x of inputs) x.dispose();
    return read;
  };
  const all = await gradients([0, 1, 2]);
  for (const only of [0, 1, 2]) {
    const one = await gradients([only]);
    assert.equal(one[only], all[only]);
    assert.is(one.filter(Boolean).length, 1);
  }
});

// Images of 8 and 24 columns are pooled by direct convolutions, too.
for (const columns of [8, 12, 24]) {
  gpuTest(
    `conv2d with a max pool gives the bits of conv2d and maxPool2d on ${columns} columns, forward and back`,
    async (gpu) => {
      const random = seeded(6);
      // Multiples of 1/4, so that windows hold ties and sums in any order are exact.
      const quarters = (shape: Shape) => uniform(shape, random).map((v) => Math.round(4 * v) / 4);
      const shapes: Shape[] = [[5, 3, 8, columns], [6, 3, 3, 3], [6]];
      const data = shapes.map(quarters);
      data[0]![50] = NaN;
      const dy = quarters([5, 6, 4, columns / 2]);
      const resultsOf = async (op: (x: Tensor, weight: Tensor, bias: Tensor) => Tensor) => {
        const inputs = shapes.map((shape, i) => tensor(gpu, data[i]!, shape));
        for (const x of inputs) x.requiresGrad = true;
        const y = tidy(() => {
          const y = op(inputs[0]!, inputs[1]!, inputs[2]!);
          backward(y, tensor(gpu, dy, [5, 6, 4, columns / 2]));
          return y;
        });
        const results = await Promise.all([y, ...inputs.map((x) => x.grad!)].map((x) => x.read()));
        for (const x of [y, ...inputs]) x.dispose();
        return results;
      };
      const together = await resultsOf((...inputs) => conv2d(...inputs, { padding: 1, relu: true, maxPool: true }));
      const apart = await resultsOf((...inputs) =>
        maxPool2d(conv2d(...inputs, { padding: 1 }), { kernelSize: 2, relu: true }),
      );
      for (const [i, result] of together.entries()) assertSameBits(`result ${i}`, result, apart[i]!);
    },
  );
}

for (const relu of [false, true])
  checkValues(
    `conv2d passes NaN on to the windows that hold it${relu ? ', through ReLU' : ''}, and back`,
    (x) => conv2d(x!, tensor(x!.gpu, [1, 1, 1, 1], [1, 1, 2, 2]), null, { relu }),
    {
      inputs: [[[rows([1, 2, 3], [4, 5, nan], [7, 8, 9])]]],
      y: [12, nan, 24, nan],
      dy: [1, 1, nan, 1],
      gradients: [[1, 2, 1, nan, nan, 2, nan, nan, 1]],
    },
  );

// If a tile of the sums reaches beyond k, its kernel must not multiply numbers of other rows and columns by 0.
gpuTest('conv2d keeps NaN in its image and in its channel', async (gpu) => {
  const shapes: Shape[] = [
    [2, 1, 4, 4],
    [2, 1, 3, 3],
    [2, 2, 4, 4],
  ];
  const random = seeded(6);
  const clean = shapes.map((shape) => uniform(shape, random));
  const compute = async (data: Float32Array[]) => {
    const [x, weight] = [0, 1].map((i) => tensor(gpu, data[i]!, shapes[i]!)) as [Tensor, Tensor];
    x.requiresGrad = true;
    weight.requiresGrad = true;
    const y = tidy(() => {
      const made = conv2d(x, weight, null, { padding: 1 });
      backward(made, tensor(gpu, data[2]!, shapes[2]!));
      return keep(made);
    });
    const [values, dx, dweight] = await Promise.all([y.read(), x.grad!.read(), weight.grad!.read()]);
    for (const t of [x, weight, y]) t.dispose();
    return { y: values, dx, dweight };
  };
  const truth = await compute(clean);
  const upper = (numbers: ArrayLike<number>) => Array.from(numbers).slice(0, numbers.length / 2);
  const withNan = (which: number, isNan: (at: number) => boolean) =>
    compute(clean.map((data, i) => (i === which ? data.map((v, at) => (isNan(at) ? NaN : v)) : data)));
  const ofImage = await withNan(0, (at) => at >= 16);
  assert.equal(upper(ofImage.y), upper(truth.y));
  const ofWeight = await withNan(1, (at) => at >= 9);
  for (const image of [0, 32]) assert.equal(ofWeight.y.slice(image, image + 16), truth.y.slice(image, image + 16));
  assert.equal(upper((await withNan(2, (at) => at >= 32)).dx), upper(truth.dx));
  assert.equal(upper((await withNan(2, (at) => at % 32 >= 16)).dweight), upper(truth.dweight));
});

// From 6,291,458 pixels on, quotients by 3 would be wrong in f32: the pixel would be taken for one of the next row.
gpuTest('conv2d sums the gradient of its weight over 6.3 million pixels', async (gpu) => {
  if (gemmFamily(gpu) !== 'subgroup') return; // one family tells: all call the same functions
  const h = 2_098_000;
  const x = Float32Array.from({ length: h * 4 }, (_, i) => Number(i % 4 === 2));
  const weight = tensor(gpu, [1, 1], [1, 1, 1, 2]);
  weight.requiresGrad = true;
  tidy(() => {
    const y = conv2d(tensor(gpu, x, [1, 1, h, 4]), weight);
    backward(y, tensor(gpu, new Float32Array(3 * h).fill(1), y.shape));
  });
  assert.equal([...(await weight.grad!.read())], [h, h]);
  weight.dispose();
});

gpuTest('conv2d of no images is empty, and of no channels the bias', async (gpu) => {
  const weight = tensor(gpu, uniform([2, 3, 3, 3], seeded(1)), [2, 3, 3, 3]);
  const bias = tensor(gpu, [1, 2]);
  weight.requiresGrad = true;
  tidy(() => {
    const y = conv2d(empty(gpu, [0, 3, 4, 4]), weight, bias);
    assert.equal(y.shape, [0, 2, 2, 2]);
    backward(y, empty(gpu, [0, 2, 2, 2]));
  });
  assert.ok((await weight.grad!.read()).every((g) => g === 0));
  const plain = tidy(() => conv2d(empty(gpu, [1, 0, 2, 2]), empty(gpu, [2, 0, 2, 2]), bias));
  assert.equal([...(await plain.read())], [1, 2]);
  for (const t of [weight, bias, plain]) t.dispose();
});

checkArguments('conv2d', conv2d, { x: 'f32 1x1x4x4', weight: 'f32 1x1x4x4', bias: 'f32 1' }, { options: {} });
checkRefusals('conv2d', (gpu) => {
  const make = (...shape: number[]): Tensor => empty(gpu, shape);
  const x = make(2, 1, 6, 7);
  const weight = make(8, 1, 3, 3);
  const using = (options: unknown) => () => conv2d(x, weight, null, options as Conv2dOpOptions);
  return [
    [
      () => conv2d(x, make(8, 3, 5, 5), null),
      /conv2d: weight \[8,3,5,5\] has 3 input channels but x \[2,1,6,7\] has 1; they must be equal/,
    ],
    [() => conv2d(make(6, 7), make(8, 1, 5, 5), null), /x must be \[n, c, h, w\] but is \[6,7\]/],
    [() => conv2d(x, make(8, 5, 5), null), /weight must be \[o, c, r, s\] but is \[8,5,5\]/],
    [() => conv2d(x, weight, make(7)), /bias must be \[8\] but is \[7\]/],
    [() => conv2d(x, weight, { stride: 2 } as never), /conv2d: bias must be a tensor but is an Object/],
    [
      using({ dilation: 3 }),
      /the kernel \[8,1,3,3\] with dilation \[3,3\] is larger than x \[2,1,6,7\] with padding \[0,0\]/,
    ],
    [using({ groups: 4 }), /conv2d: unknown option groups; its options are stride, padding, dilation, relu, maxPool/],
    [using({ padding: 'same' }), /padding must be .* but is 'same'/],
    [using(2), /conv2d: expected an options object.*\{ stride: 2 \}/],
    [using({ stride: 0 }), /stride must be a whole number >= 1, or \[h, w\] of two but is 0/],
    [using({ padding: [1, -1] }), /padding must be a whole number >= 0, or \[h, w\] of two but is .*an array/],
    [using({ dilation: 1.5 }), /dilation must be a whole number >= 1, .* but is 1.5/],
  ];
});

run();
