import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { native } from '../../src/io/buffers.ts';
import { reshape } from '../../src/ops/reshape.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, shapesOf } from './check.ts';

for (const [from, to, full] of [
  ['6', [2, 3], '2x3'],
  ['2x3x5', [-1, 5], '6x5'],
  ['2x3', [3, -1, 1], '3x2x1'],
  ['1', [], '()'],
  ['()', [-1], '1'],
] as const) {
  checkOp(
    `reshape to [${to}]`,
    (x) => reshape(x!, to),
    (x) => reference.reshape(x!, shapesOf(full)[0]!),
    { shapes: [from] },
  );
}

gpuTest('reshape shares memory with its input, of either type', async (gpu) => {
  const x = tensor(gpu, Uint32Array.of(1, 2, 3, 4), [2, 2]);
  const y = reshape(x, [4]);
  assert.is(native(y).buffer, native(x).buffer);
  assert.equal([...(await y.readU32())], [1, 2, 3, 4]);
  for (const t of [x, y]) t.dispose();
  tidy(() => assert.equal(reshape(empty(gpu, [0, 3]), [3, 0]).shape, [3, 0]));
});

checkArguments('reshape', reshape, { x: 'f32 2x2' }, { more: [[4]], anyType: true });
checkRefusals('reshape', (gpu) => {
  const x = empty(gpu, [2, 3]);
  return [
    [
      () => reshape(x, [4, -1]),
      /reshape: x is \[2,3\] with 6 elements, which do not fill \[4,-1\]; pass sizes whose product is 6/,
    ],
    [() => reshape(x, 6 as never), /reshape: shape must be an array of sizes, such as \[2, -1\], but is 6/],
    ...[[5], [-1, -1], [-2, -3], [1.5, 4], [0, -1]].map((shape) => [() => reshape(x, shape), /do not fill/] as const),
  ];
});

run();
