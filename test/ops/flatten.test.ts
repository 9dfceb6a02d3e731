import * as assert from 'uvu/assert';
import { native } from '../../src/io/buffers.ts';
import { flatten } from '../../src/ops/flatten.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, run } from '../harness.ts';

checkOp(
  'flatten',
  ([x]) => flatten(x!),
  ([x]) => ({ shape: [x!.shape[0]!, x!.data.length / x!.shape[0]!], data: x!.data }),
  { shapes: [[[1, 1]], [[3, 4]], [[2, 3, 4, 5]]] },
);

gpuTest('flatten shares memory with its input; there may be no rows', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [[[1], [2]]]);
    assert.is(native(flatten(x)).buffer, native(x).buffer);
    assert.equal(flatten(empty(gpu, [0, 2, 3])).shape, [0, 6]);
  });
});

gpuTest('flatten wants two dimensions', (gpu) => {
  tidy(() => assert.throws(() => flatten(tensor(gpu, [[1]]), 0 as never), /flatten: startDim must be 1/));
  tidy(() =>
    assert.throws(
      () => flatten(empty(gpu, [5])),
      /flatten: x must have at least two dimensions but is \[5\]; reshape it/,
    ),
  );
});

run();
