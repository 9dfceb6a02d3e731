import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { native } from '../../src/io/buffers.ts';
import { add } from '../../src/ops/add.ts';
import { slice } from '../../src/ops/slice.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, expectValues, nan } from './check.ts';

// Rows of 64 numbers begin at multiples of 256 bytes, so those slices are views; the others are copies.
for (const [shape, start, end] of [
  ['5', 0, 5],
  ['5', 1, 3],
  ['7x11', 2, 7],
  ['130x3', 64, 129],
  ['4x64', 1, 3],
  ['4x2x64', 3, 4],
  ['9x65', 3, 3],
] as const) {
  checkOp(
    `slice ${start} to ${end}`,
    (x) => slice(x!, start, end),
    (x) => reference.slice(x!, start, end),
    { shapes: [shape] },
  );
}

// Along other dimensions, where only a slice of a single row of the whole can be a view.
for (const [shape, dim, start, end] of [
  ['3x5', 1, 1, 4],
  ['3x5', -1, 0, 1],
  ['4x3x7', 1, 2, 3],
  ['2x3x5x7', 2, 1, 5],
  ['2x3x5x7', -3, 0, 2],
  ['1x4x64', 1, 1, 3],
  ['5x200', 1, 64, 129],
  ['3x4', 1, 2, 2],
] as const) {
  checkOp(
    `slice ${start} to ${end} along ${dim}`,
    (x) => slice(x!, start, end, { dim }),
    (x) => reference.slice(x!, start, end, { dim }),
    { shapes: [shape] },
  );
}

gpuTest('slice shares memory where the rows are aligned, also with a view', async (gpu) => {
  const x = tensor(
    gpu,
    Float32Array.from({ length: 256 }, (_, i) => i),
    [4, 64],
  );
  const y = slice(x, 1, 4);
  const copied = tidy(() => slice(x.view([64, 3], 256), 1, 64));
  const z = slice(y, 1, 3);
  assert.is(native(z).buffer, native(x).buffer);
  assert.is.not(native(copied).buffer, native(x).buffer);
  assert.equal([(await z.read())[0], (await copied.read())[0]], [128, 67]);
  for (const t of [x, y, z, copied]) t.dispose();
});

gpuTest('slice adds up the gradients of overlapping slices, and gives zero elsewhere', async (gpu) => {
  for (const width of [1, 64]) {
    // The buffers that the gradients will be written to are not zero before.
    for (const x of Array.from({ length: 8 }, () => tensor(gpu, new Float32Array(5 * width).fill(9)))) x.dispose();
    const slices = (x?: Parameters<typeof slice>[0]) =>
      add(slice(x!, width, 3 * width), slice(x!, 2 * width, 4 * width));
    await expectValues(gpu, slices, {
      inputs: [new Float32Array(5 * width).fill(1)],
      dy: new Array(2 * width).fill(3),
      gradients: [[0, 3, 6, 3, 0].flatMap((v) => new Array(width).fill(v))],
    });
  }
});

checkValues('slice copies labels as they are', (x) => slice(x!, 1, 3), {
  inputs: [Uint32Array.of(7, 2 ** 32 - 1, 9)],
  y: [2 ** 32 - 1, 9],
});
checkValues('slice passes NaN on', (x) => slice(x!, 1, 2), { inputs: [[1, nan]], y: [nan] });

gpuTest('slice of rows without elements has a gradient of the shape of x', (gpu) => {
  const x = tensor(gpu, new Float32Array(0), [5, 0]);
  x.requiresGrad = true;
  tidy(() => backward(slice(x, 0, 2), empty(gpu, [2, 0])));
  assert.equal(x.grad!.shape, [5, 0]);
  x.dispose();
});

checkArguments('slice', slice, { x: 'f32 2x2' }, { more: [0, 1], options: {}, anyType: true });
checkRefusals('slice', (gpu) => {
  const x = empty(gpu, [4, 3]);
  return [
    ...(['-1 2', '3 2', '0 5', '0.5 2'] as const).map((rows) => {
      const [start, end] = rows.split(' ').map(Number);
      const message = new RegExp(`slice: ${start} to ${end} is not in dimension 0 of x \\[4,3\\]`);
      return [() => slice(x, start!, end!), message] as const;
    }),
    [() => slice(tensor(gpu, 1), 0, 1), /slice: x is a single number; it must have a dimension/],
    [() => slice(x, 0, 4, { dim: 1 }), /0 to 4 is not in dimension 1 of x \[4,3\]; use 0 <= start <= end <= 3/],
    [() => slice(x, 0, 1, { dim: 2 }), /slice: dim is 2, but x is \[4,3\]; it must be a whole number from -2 to 1/],
  ];
});

run();
