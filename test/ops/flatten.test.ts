import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { native } from '../../src/io/buffers.ts';
import { flatten } from '../../src/ops/flatten.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals } from './check.ts';

checkOp(
  'flatten',
  (x) => flatten(x!),
  (x) => reference.reshape(x!, [x!.shape[0]!, x!.data.length / x!.shape[0]!]),
  {
    shapes: ['1x1', '3x4', '2x3x4x5'],
  },
);

gpuTest('flatten shares memory with its input, and takes no rows', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [[[1], [2]]]);
    assert.is(native(flatten(x)).buffer, native(x).buffer);
    assert.equal(flatten(empty(gpu, [0, 2, 3])).shape, [0, 6]);
  });
});

checkArguments('flatten', flatten, { x: 'f32 2x2' }, { anyType: true, ignoresMore: true });
checkRefusals('flatten', (gpu) => [
  [() => flatten(tensor(gpu, [[1]]), 0 as never), /flatten: startDim must be 1/],
  [() => flatten(empty(gpu, [5])), /flatten: x must have at least two dimensions but is \[5\]; reshape it/],
]);

run();
