import * as assert from 'uvu/assert';
import { columnMean } from '../../src/ops/columnMean.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, run } from '../harness.ts';

checkOp(
  'columnMean',
  ([x]) => columnMean(x!),
  ([x]) => {
    const [rows, cols] = x!.shape as [number, number];
    const y = new Float64Array(cols);
    for (const [i, v] of x!.data.entries()) y[i % cols]! += v / rows;
    return { shape: [cols], data: y };
  },
  { shapes: [[[1, 1]], [[63, 3]], [[64, 10]], [[257, 31]], [[5, 129]], [[20011, 2]]] },
);

gpuTest('columnMean of no rows is NaN', async (gpu) => {
  const y = tidy(() => columnMean(tensor(gpu, new Float32Array(0), [0, 2])));
  assertClose('columnMean', await y.read(), [Number.NaN, Number.NaN], { rtol: 0, atol: 0 });
  y.dispose();
});

gpuTest('columnMean refuses what is no matrix', (gpu) => {
  tidy(() =>
    assert.throws(() => columnMean(tensor(gpu, [1])), /columnMean: x must be \[n, C\] with C > 0 but is \[1\]/),
  );
});

run();
