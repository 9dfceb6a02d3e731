import * as assert from 'uvu/assert';
import { gatherRows } from '../../src/ops/gatherRows.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, run } from '../harness.ts';
import { valuesOf } from './elementwise.ts';

// Rows repeat, and some are never asked for; with one column it is the weights of labels.
for (const count of [1, 63, 64, 65, 1009]) {
  checkOp(
    `gatherRows of ${count}`,
    ([x], [index]) => gatherRows(x!, index!),
    ([x], [index]) => {
      const cols = x!.data.length / x!.shape[0]!;
      const rows = Array.from(index!, (row) => [...x!.data.subarray(row * cols, (row + 1) * cols)]);
      return { shape: [count, ...x!.shape.slice(1)], data: Float64Array.from(rows.flat()) };
    },
    {
      shapes: [[[1]], [[31]], [[7, 5]], [[10, 3, 7]], [[6, 65]]],
      extra: ([shape], random) => [Uint32Array.from({ length: count }, () => Math.floor(shape![0]! * random()))],
    },
  );
}

gpuTest('gatherRows takes an index of any shape, and of no rows', async (gpu) => {
  const x = tensor(gpu, [
    [1, 2],
    [3, 4],
  ]);
  const [some, none] = tidy(() => [
    gatherRows(x, tensor(gpu, Uint32Array.of(1, 0, 1, 1), [2, 2])),
    gatherRows(x, empty(gpu, [0], 'u32')),
  ]);
  assert.equal(
    [some.shape, none.shape],
    [
      [2, 2, 2],
      [0, 2],
    ],
  );
  assert.equal([...(await some.read())], [3, 4, 1, 2, 3, 4, 3, 4]);
  for (const t of [x, some, none]) t.dispose();
});

gpuTest('gatherRows: a row that is not there is NaN, and NaN passes', async (gpu) => {
  const nan = Number.NaN;
  const index = tensor(gpu, Uint32Array.of(1, 3, 0, 2 ** 32 - 1, 0));
  const gather = (x: Parameters<typeof gatherRows>[0]) => gatherRows(x, index);
  const { y, gradients } = await valuesOf(gpu, gather, [[5, nan, 7]], [1, 10, 100, 1000, 0.5]);
  assert.equal(y, [nan, nan, 5, nan, 5]);
  assertClose('gradient', gradients[0]!, [100.5, 1, 0], { rtol: 0, atol: 0 });
  const { gradients: withNan } = await valuesOf(gpu, gather, [[5, 6, 7]], [nan, 1, 1, 1, 1]);
  assert.equal(withNan[0], [2, nan, 0]);
  index.dispose();
});

gpuTest('gatherRows refuses what does not fit', (gpu) => {
  tidy(() => {
    assert.throws(() => gatherRows(empty(gpu, [3]), empty(gpu, [1])), /gatherRows: index must be u32 but is f32/);
    assert.throws(() => gatherRows(empty(gpu, [3], 'u32'), empty(gpu, [1], 'u32')), /gatherRows: x must be f32/);
    assert.throws(() => gatherRows(tensor(gpu, 1), empty(gpu, [1], 'u32')), /x is a single number; it must have rows/);
  });
});

run();
