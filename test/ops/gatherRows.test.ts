import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { gatherRows } from '../../src/ops/gatherRows.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, integers, run } from '../harness.ts';
import { checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

// Rows repeat, and some are never chosen. With one column these are the weights of labels.
for (const count of [1, 63, 64, 65, 1009]) {
  checkOp(
    `gatherRows of ${count}`,
    (x, index) => gatherRows(x!, index!),
    (x, index) => reference.gatherRows(x!, index!),
    {
      shapes: ['1', '31', '7x5', '10x3x7', '6x65'],
      extra: ([shape], random) => [integers(count, shape![0]!, random)],
    },
  );
}

// So many elements that an invocation of backward takes several rows, and the last one fewer.
checkOp(
  'gatherRows of many rows',
  (x, index) => gatherRows(x!, index!),
  (x, index) => reference.gatherRows(x!, index!),
  { shapes: ['601x65'], extra: ([shape], random) => [integers(300, shape![0]!, random)] },
);

gpuTest('gatherRows takes an index of any shape, and of no rows', async (gpu) => {
  const x = tensor(gpu, rows([1, 2], [3, 4]));
  const [some, none] = tidy(() => [
    gatherRows(x, tensor(gpu, Uint32Array.of(1, 0, 1, 1), [2, 2])),
    gatherRows(x, empty(gpu, [0], 'u32')),
  ]);
  assert.equal(`${some.shape} ${none.shape}`, '2,2,2 0,2');
  assert.equal([...(await some.read())], [3, 4, 1, 2, 3, 4, 3, 4]);
  for (const t of [x, some, none]) t.dispose();
});

const index = Uint32Array.of(1, 3, 0, 2 ** 32 - 1, 0);
const gather = (x?: Parameters<typeof gatherRows>[0], index?: typeof x) => gatherRows(x!, index!);
checkValues('gatherRows gives NaN for a row that does not exist, and passes NaN on', gather, {
  inputs: [[5, nan, 7], index],
  y: [nan, nan, 5, nan, 5],
  dy: [1, 10, 100, 1000, 0.5],
  gradients: [[100.5, 1, 0]],
});
checkValues('gatherRows passes NaN in the gradient on to its row', gather, {
  inputs: [[5, 6, 7], index],
  dy: [nan, 1, 1, 1, 1],
  gradients: [[2, nan, 0]],
});

checkValues('gatherRows copies labels as they are, and gives 2^32 - 1 for a row that does not exist', gather, {
  inputs: [Uint32Array.of(1, 2 ** 32 - 2, 0x7fc00001), Uint32Array.of(2, 0, 1, 3)],
  y: [0x7fc00001, 1, 2 ** 32 - 2, 2 ** 32 - 1],
});

checkRefusals('gatherRows of other types', (gpu) => {
  const [x, index] = [tensor(gpu, [1]), empty(gpu, [1], 'u32')];
  return [
    [() => gatherRows(x, x), /^gatherRows: index must be u32 but is f32$/],
    [() => gatherRows([1] as never, index), /^gatherRows: x must be a tensor but is /],
    [() => (gatherRows as (...args: unknown[]) => unknown)(x, index, {}), /^gatherRows: expected no further argument/],
  ];
});
checkRefusals('gatherRows', (gpu) => [
  [() => gatherRows(tensor(gpu, 1), empty(gpu, [1], 'u32')), /x is a single number; it must have rows/],
]);

run();
