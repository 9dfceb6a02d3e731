import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { sum } from '../../src/ops/sum.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { assertClose, gpuTest, run, seeded } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, expectValues, nan, rows } from './check.ts';

// Lengths around the lanes of a workgroup and the chunks of 256, and neighbours on both sides of 8 elements apart.
const SHAPES: [shapes: string[], dims: (number | undefined)[]][] = [
  [['()', '1', '63', '257', '100003', '3x4x5', '65x31', '1009x10', '2x300x3'], [undefined]],
  [['()', '1', '257', '3x4x5', '65x31', '1009x10'], [0]],
  [['3x4x5', '65x31', '1009x10', '2x300x3', '7x1000'], [1]],
  [['()', '63', '3x4x5'], [-1]],
  [['3x4x5'], [2, -2, -3]],
];
for (const [shapes, dims] of SHAPES) {
  for (const dim of dims) {
    for (const keepdim of [false, true]) {
      const options = { ...(dim !== undefined && { dim }), keepdim };
      checkOp('sum', sum, reference.sum, {
        options,
        shapes: keepdim ? shapes.filter((shape) => /^(3x4x5|\(\))$/.test(shape)) : shapes,
        atol: 2e-5,
      });
    }
  }
}

gpuTest('sum of 4 million elements keeps its digits and gives the same bits every time', async (gpu) => {
  const random = seeded(1);
  const data = Float32Array.from({ length: 64 * 65535 + 100 }, random);
  const x = tensor(gpu, data);
  const [a, b] = [sum(x), sum(x)];
  const value = await a.item();
  assertClose('sum', [value], [data.reduce((s, v) => s + v, 0)], { rtol: 1e-6 });
  assert.is(await b.item(), value);
  for (const held of [x, a, b]) held.dispose();
});

gpuTest('sum passes NaN on to its row; the sum of nothing is 0', async (gpu) => {
  const along = (dim?: number) => (x: Parameters<typeof sum>[0]) => sum(x, dim === undefined ? {} : { dim });
  await expectValues(gpu, along(1), { inputs: [rows([1, nan], [2, 3])], y: [nan, 5] });
  await expectValues(gpu, along(), { inputs: [[]], y: [0] });
  const x = empty(gpu, [0, 3]);
  const [ofColumns, ofRows] = [sum(x, { dim: 0 }), sum(x, { dim: 1 })];
  assert.equal([...(await ofColumns.read())], [0, 0, 0]);
  assert.equal(ofRows.shape, [0]);
  for (const held of [x, ofColumns, ofRows]) held.dispose();
});

checkArguments('sum', sum, { x: 'f32 2x2' }, { options: {} });
checkRefusals('sum', (gpu) => {
  const x = empty(gpu, [70, 3]);
  return [
    [() => sum(x, { dim: 2 }), /sum: dim is 2, but x is \[70,3\]; it must be a whole number from -2 to 1/],
    [() => sum(x, { dim: -3 }), /dim is -3/],
    [() => sum(x, { axis: 1 } as never), /sum: unknown option axis; did you mean dim\?/],
    [() => sum(x, { dim: [0, 1] } as never), /sum: dim must be a whole number but is .*an array/],
    [() => sum(x, { dim: 0.5 }), /sum: dim must be a whole number but is 0.5/],
  ];
});

run();
