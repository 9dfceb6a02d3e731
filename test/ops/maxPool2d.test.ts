import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { maxPool2d, type Pool2dOptions } from '../../src/ops/maxPool2d.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, distinct, inf, nan } from './check.ts';

const CASES: [Pool2dOptions, shapes: string][] = [
  // Halves of even images eight pixels wide, a lane's loop (16), a workgroup's, and more than one.
  [{ kernelSize: 2 }, '1x1x2x8 3x5x4x24 2x2x2x40 9x1x16x8 7x13x6x16 2x1x2x1040'],
  // Pairs, likewise; then odd images.
  [{ kernelSize: 2 }, '1x1x2x2 3x5x4x10 5x3x28x28 2x1x2x1046 2x3x7x8 2x3x6x7 1x2x5x12 3x31x9x5'],
  [{ kernelSize: 3 }, '1x1x3x3 2x2x8x10'],
  [{ kernelSize: 3, stride: 2, padding: 1 }, '1x2x7x7 2x3x8x5 1x1x1x1'],
  [{ kernelSize: 3, stride: 1, padding: 1 }, '2x2x6x8 1x1x2x1'],
  [{ kernelSize: 2, stride: 3 }, '1x2x9x9 1x1x3x8'],
  [{ kernelSize: 2, stride: 1 }, '2x1x4x8'],
  [{ kernelSize: 2, padding: 1 }, '2x1x4x8 1x1x1x1'],
  [{ kernelSize: 5, stride: 2, padding: 2 }, '1x2x11x9'],
  [{ kernelSize: 1, stride: 1 }, '1x2x3x5'],
  [{ kernelSize: 2, ceilMode: true }, '1x1x5x5 2x3x7x8 1x1x4x8 1x1x1x1'],
  [{ kernelSize: 3, stride: 2, ceilMode: true }, '2x2x6x8'],
  // The last window would start in the padding after the image, and is left out.
  [{ kernelSize: 2, padding: 1, ceilMode: true }, '1x2x4x5'],
  [{ kernelSize: 3, stride: 2, padding: 1, ceilMode: true }, '2x3x6x8'],
  [{ kernelSize: 2, stride: 3, ceilMode: true }, '1x2x9x10'],
];

// Few values, so most windows hold ties; then infinities and NaN among them.
const of =
  (...values: number[]) =>
  (shape: Shape, random: () => number): Float32Array =>
    Float32Array.from({ length: sizeOf(shape) }, () => values[Math.floor(random() * values.length)]!);
const FILLS = {
  'different numbers': distinct,
  ties: of(0, -1, 1),
  'ties of 0': of(0, 0, -1),
  'ties and infinities': of(0, -1, -inf, inf),
  'ties, infinities and NaN': of(0, -1, 1, -inf, inf, nan),
};

for (const [options, shapes] of CASES) {
  for (const relu of [false, true]) {
    for (const [content, fill] of Object.entries(FILLS)) {
      checkOp(`maxPool2d of ${content}`, maxPool2d, reference.maxPool2d, {
        options: { ...options, relu },
        shapes: shapes.split(' '),
        fill,
        rtol: 1e-6,
        atol: 1e-6,
        backward: (dy, x) => {
          const y = reference.maxPool2d(x!, { ...options, relu });
          const dpool = relu ? reference.reluBackward(y, dy) : dy;
          return [reference.maxPool2dBackward(x!.shape, y.from, dpool.data)];
        },
      });
    }
  }
}

gpuTest('maxPool2d of no images is empty', (gpu) => {
  tidy(() => assert.equal(maxPool2d(empty(gpu, [0, 3, 4, 8]), { kernelSize: 2 }).shape, [0, 3, 2, 4]));
});

checkArguments('maxPool2d', maxPool2d, { x: 'f32 1x1x4x4' }, { options: { kernelSize: 2 } });
checkRefusals('maxPool2d', (gpu) => {
  const x = empty(gpu, [1, 2, 4, 4]);
  const pool = (options: unknown) => () => maxPool2d(x, options as Pool2dOptions);
  return [
    [
      pool({ kernelSize: 5 }),
      /maxPool2d: a window of 5 does not fit into x \[1,2,4,4\] with padding 0; take a smaller one/,
    ],
    [
      pool({ kernelSize: 3, padding: 2 }),
      /padding 2 is more than half of kernelSize 3; some windows would hold no pixel/,
    ],
    [pool({ kernelSize: 5, stride: 1, ceilMode: true }), /a window of 5 does not fit into x/],
    [pool({ kernelSize: 1.5 }), /kernelSize must be a whole number >= 1 but is 1.5/],
    [pool({ kernelSize: [2, 2] }), /kernelSize must be a whole number >= 1/],
    [pool({ kernelSize: 2, stride: 0 }), /stride must be a whole number >= 1 but is 0/],
    [pool({ kernelSize: 2, padding: -1 }), /padding must be a whole number >= 0 but is -1/],
    [pool({ kernelSize: 2, ceilMode: 1 }), /ceilMode must be true or false but is 1/],
    [pool(2), /maxPool2d: expected an options object.*\{ kernelSize: 2 \}/],
    [pool({}), /maxPool2d: kernelSize is missing from the options/],
    [pool({ kernelSize: 2, ceil_mode: true }), /unknown option ceil_mode; did you mean ceilMode\?/],
    [
      pool({ kernelSize: 2, countIncludePad: true }),
      /maxPool2d: unknown option countIncludePad; its options are kernelSize/,
    ],
    [pool({ kernelSize: 2, dilation: 2 }), /unknown option dilation/],
    [() => maxPool2d(tensor(gpu, [1, 2, 3]), { kernelSize: 1 }), /x must be \[n,c,h,w\] but is \[3\]/],
  ];
});

run();
