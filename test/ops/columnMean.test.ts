import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { columnMean } from '../../src/ops/columnMean.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, nan } from './check.ts';

checkOp('columnMean', columnMean, reference.columnMean, {
  shapes: ['1x1', '63x3', '64x10', '257x31', '5x129', '20011x2'],
});

gpuTest('columnMean of no rows is NaN', async (gpu) => {
  const x = empty(gpu, [0, 2]);
  const y = columnMean(x);
  assert.equal([...(await y.read())], [nan, nan]);
  for (const held of [x, y]) held.dispose();
});

checkArguments('columnMean', columnMean, { x: 'f32 2x2' });
checkRefusals('columnMean', (gpu) => [
  [() => columnMean(tensor(gpu, [1])), /columnMean: x must be \[n, C\] with C > 0 but is \[1\]/],
]);

run();
