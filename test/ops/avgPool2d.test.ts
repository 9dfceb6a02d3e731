import * as reference from '../../reference/index.ts';
import { type AvgPool2dOptions, avgPool2d } from '../../src/ops/avgPool2d.ts';
import { tensor } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

const CASES: [AvgPool2dOptions, shapes: string][] = [
  [{ kernelSize: 2 }, '1x1x2x2 3x5x8x24 2x3x7x9'],
  [{ kernelSize: 3, stride: 2, padding: 1 }, '1x2x7x7 4x5x16x17 1x1x1x1'],
  [{ kernelSize: 3, stride: 1, padding: 1 }, '2x2x6x8'],
  [{ kernelSize: 2, stride: 3 }, '1x2x9x9'],
  [{ kernelSize: 2, padding: 1 }, '2x1x4x5'],
  [{ kernelSize: 7 }, '9x4x7x7'],
  [{ kernelSize: 2, padding: 1, countIncludePad: false }, '2x1x5x5 1x2x4x7'],
  [{ kernelSize: 3, stride: 1, padding: 1, countIncludePad: false }, '2x2x6x8'],
  [{ kernelSize: 2, ceilMode: true }, '1x1x5x5 2x3x7x8 1x1x1x1 1x1x4x4'],
  [{ kernelSize: 3, stride: 2, padding: 1, ceilMode: true }, '2x2x6x8 1x1x4x5'],
  [{ kernelSize: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false }, '2x2x6x8 1x1x4x5'],
  [{ kernelSize: 4, stride: 5, padding: 2, ceilMode: true }, '1x1x11x8'],
  [{ kernelSize: 2, stride: 3, ceilMode: true }, '1x2x9x10'],
];
for (const [options, shapes] of CASES) {
  checkOp('avgPool2d', avgPool2d, reference.avgPool2d, {
    options,
    shapes: shapes.split(' '),
    backward: (dy, x) => [reference.avgPool2dBackward(x!.shape, dy.data, options)],
  });
}

const ones = [[new Array(5).fill(new Array(5).fill(1))]];
for (const [options, y] of [
  [{ kernelSize: 2, padding: 1, countIncludePad: false }, new Array(9).fill(1)],
  [{ kernelSize: 2, padding: 1 }, [0.25, 0.5, 0.5, 0.5, 1, 1, 0.5, 1, 1]],
  [{ kernelSize: 2, ceilMode: true }, new Array(9).fill(1)],
  // The last windows reach two rows of pixels, one of padding, and one more that does not count.
  [{ kernelSize: 4, padding: 1, ceilMode: true }, [9 / 16, 6 / 12, 6 / 12, Math.fround(4 / 9)]],
] as const)
  checkValues(
    `avgPool2d of ones is below one only where padding counts: ${JSON.stringify(options)}`,
    (x) => avgPool2d(x!, options),
    {
      inputs: [ones],
      y,
    },
  );
checkValues('avgPool2d passes NaN on to the windows that hold it', (x) => avgPool2d(x!, { kernelSize: 2 }), {
  inputs: [[[rows([1, nan, 2, 3], [4, 5, 6, 7])]]],
  y: [nan, 4.5],
});

checkArguments('avgPool2d', avgPool2d, { x: 'f32 1x1x4x4' }, { options: { kernelSize: 2 } });
checkRefusals('avgPool2d', (gpu) => {
  const x = tensor(gpu, new Float32Array(16), [1, 1, 4, 4]);
  const pool = (options: unknown) => () => avgPool2d(x, options as AvgPool2dOptions);
  return [
    [pool(2), /avgPool2d: expected an options object.*\{ kernelSize: 2 \}/],
    [
      pool({ kernelSize: 2, count_include_pad: false }),
      /unknown option count_include_pad; did you mean countIncludePad\?/,
    ],
    [pool({ kernelSize: 2, relu: true }), /avgPool2d: unknown option relu/],
    [pool({ kernelSize: 5 }), /avgPool2d: a window of 5 does not fit into x \[1,1,4,4\]/],
    [pool({ kernelSize: 3, padding: 2 }), /avgPool2d: padding 2 is more than half/],
  ];
});

run();
