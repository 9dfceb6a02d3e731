import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { native } from '../../src/io/buffers.ts';
import { add } from '../../src/ops/add.ts';
import { sliceRows } from '../../src/ops/sliceRows.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, run } from '../harness.ts';
import { valuesOf } from './elementwise.ts';

// Rows of 64 and 128 numbers begin at multiples of 256 bytes, so those slices are views; the others are copies.
for (const [shape, from, to] of [
  [[5], 0, 5],
  [[5], 1, 3],
  [[7, 11], 2, 7],
  [[130, 3], 64, 129],
  [[4, 64], 1, 3],
  [[4, 2, 64], 3, 4],
  [[9, 65], 3, 3],
] as const) {
  checkOp(
    `sliceRows ${from} to ${to}`,
    ([x]) => sliceRows(x!, from, to),
    ([x]) => {
      const perRow = x!.data.length / shape[0];
      return { shape: [to - from, ...shape.slice(1)], data: x!.data.slice(from * perRow, to * perRow) };
    },
    { shapes: [[shape]] },
  );
}

gpuTest('sliceRows shares memory where the rows are aligned, also of what is a view itself', async (gpu) => {
  const x = tensor(
    gpu,
    Float32Array.from({ length: 256 }, (_, i) => i),
    [4, 64],
  );
  const y = sliceRows(x, 1, 4);
  const moved = tidy(() => sliceRows(x.view([64, 3], 256), 1, 64));
  const z = sliceRows(y, 1, 3);
  assert.is(native(z).buffer, native(x).buffer);
  assert.is.not(native(moved).buffer, native(x).buffer);
  assert.is((await z.read())[0], 128);
  assert.is((await moved.read())[0], 67);
  for (const t of [x, y, z, moved]) t.dispose();
});

gpuTest('sliceRows: gradients of overlapping slices add up, and are zero elsewhere', async (gpu) => {
  for (const width of [1, 64]) {
    // What gradients are written to is not zero before.
    for (const x of Array.from({ length: 8 }, () => tensor(gpu, new Float32Array(5 * width).fill(9)))) x.dispose();
    const { gradients } = await valuesOf(
      gpu,
      (x) => add(sliceRows(x, width, 3 * width), sliceRows(x, 2 * width, 4 * width)),
      [new Array(5 * width).fill(1)],
      new Array(2 * width).fill(3),
    );
    assert.equal(
      gradients[0],
      [0, 3, 6, 3, 0].flatMap((v) => new Array(width).fill(v)),
    );
  }
});

gpuTest('sliceRows moves labels and NaN as they are', async (gpu) => {
  const labels = tensor(gpu, Uint32Array.of(7, 2 ** 32 - 1, 9));
  const x = tensor(gpu, [1, Number.NaN]);
  const [some, nan] = [sliceRows(labels, 1, 3), sliceRows(x, 1, 2)];
  assert.equal([...(await some.readU32())], [2 ** 32 - 1, 9]);
  assert.equal(await nan.item(), Number.NaN);
  for (const t of [labels, x, some, nan]) t.dispose();
});

gpuTest('sliceRows of rows without elements has a gradient of the shape of x', (gpu) => {
  const x = tensor(gpu, new Float32Array(0), [5, 0]);
  x.requiresGrad = true;
  tidy(() => backward(sliceRows(x, 0, 2), tensor(gpu, new Float32Array(0), [2, 0])));
  assert.equal(x.grad!.shape, [5, 0]);
  for (const t of [x.grad!, x]) t.dispose();
});

gpuTest('sliceRows refuses rows that are not there', (gpu) => {
  tidy(() => {
    const x = empty(gpu, [4, 3]);
    for (const [from, to] of [
      [-1, 2],
      [3, 2],
      [0, 5],
      [0.5, 2],
    ]) {
      assert.throws(
        () => sliceRows(x, from!, to!),
        new RegExp(`sliceRows: rows ${from} to ${to} are not in x \\[4,3\\]`),
      );
    }
    assert.throws(() => sliceRows(tensor(gpu, 1), 0, 1), /sliceRows: x is a single number; it must have rows/);
  });
});

run();
