import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { native } from '../../src/io/buffers.ts';
import { add } from '../../src/ops/add.ts';
import { sliceRows } from '../../src/ops/sliceRows.ts';
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
    `sliceRows ${start} to ${end}`,
    (x) => sliceRows(x!, start, end),
    (x) => reference.sliceRows(x!, start, end),
    { shapes: [shape] },
  );
}

gpuTest('sliceRows shares memory where the rows are aligned, also with a view', async (gpu) => {
  const x = tensor(
    gpu,
    Float32Array.from({ length: 256 }, (_, i) => i),
    [4, 64],
  );
  const y = sliceRows(x, 1, 4);
  const copied = tidy(() => sliceRows(x.view([64, 3], 256), 1, 64));
  const z = sliceRows(y, 1, 3);
  assert.is(native(z).buffer, native(x).buffer);
  assert.is.not(native(copied).buffer, native(x).buffer);
  assert.equal([(await z.read())[0], (await copied.read())[0]], [128, 67]);
  for (const t of [x, y, z, copied]) t.dispose();
});

gpuTest('sliceRows adds up the gradients of overlapping slices, and gives zero elsewhere', async (gpu) => {
  for (const width of [1, 64]) {
    // The buffers that the gradients will be written to are not zero before.
    for (const x of Array.from({ length: 8 }, () => tensor(gpu, new Float32Array(5 * width).fill(9)))) x.dispose();
    const slices = (x?: Parameters<typeof sliceRows>[0]) =>
      add(sliceRows(x!, width, 3 * width), sliceRows(x!, 2 * width, 4 * width));
    await expectValues(gpu, slices, {
      inputs: [new Float32Array(5 * width).fill(1)],
      dy: new Array(2 * width).fill(3),
      gradients: [[0, 3, 6, 3, 0].flatMap((v) => new Array(width).fill(v))],
    });
  }
});

checkValues('sliceRows copies labels as they are', (x) => sliceRows(x!, 1, 3), {
  inputs: [Uint32Array.of(7, 2 ** 32 - 1, 9)],
  y: [2 ** 32 - 1, 9],
});
checkValues('sliceRows passes NaN on', (x) => sliceRows(x!, 1, 2), { inputs: [[1, nan]], y: [nan] });

gpuTest('sliceRows of rows without elements has a gradient of the shape of x', (gpu) => {
  const x = tensor(gpu, new Float32Array(0), [5, 0]);
  x.requiresGrad = true;
  tidy(() => backward(sliceRows(x, 0, 2), empty(gpu, [2, 0])));
  assert.equal(x.grad!.shape, [5, 0]);
  x.dispose();
});

checkArguments('sliceRows', sliceRows, { x: 'f32 2x2' }, { more: [0, 1], anyType: true });
checkRefusals('sliceRows', (gpu) => {
  const x = empty(gpu, [4, 3]);
  return [
    ...(['-1 2', '3 2', '0 5', '0.5 2'] as const).map((rows) => {
      const [start, end] = rows.split(' ').map(Number);
      const message = new RegExp(`sliceRows: rows ${start} to ${end} are not in x \\[4,3\\]`);
      return [() => sliceRows(x, start!, end!), message] as const;
    }),
    [() => sliceRows(tensor(gpu, 1), 0, 1), /sliceRows: x is a single number; it must have rows/],
  ];
});

run();
