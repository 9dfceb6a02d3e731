import * as assert from 'uvu/assert';
import { mean } from '../../src/ops/mean.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { alongDimension, assertClose, checkOp, gpuTest, run } from '../harness.ts';

checkOp(
  'mean of all',
  ([x]) => mean(x!),
  ([x]) => ({ shape: [], data: Float64Array.of(x!.data.reduce((s, v) => s + v, 0) / x!.data.length) }),
  { shapes: [[[]], [[1]], [[65]], [[7, 11, 13]], [[70001]]] },
);
checkOp(
  'mean of rows',
  ([x]) => mean(x!, { dim: -1 }),
  ([x]) => {
    const [rows, cols] = x!.shape as [number, number];
    const row = (r: number) => x!.data.subarray(r * cols, (r + 1) * cols);
    return {
      shape: [rows],
      data: Float64Array.from({ length: rows }, (_, r) => row(r).reduce((s, v) => s + v, 0) / cols),
    };
  },
  { shapes: [[[1, 1]], [[64, 10]], [[5, 257]], [[2, 5000]]] },
);

checkOp(
  'mean of rows, keepdim',
  ([x]) => mean(x!, { dim: 1, keepdim: true }),
  ([x]) => {
    const mean = alongDimension(x!, 1, (row) => row.fill(row.reduce((s, v) => s + v, 0) / row.length));
    return { shape: [5, 1], data: mean.data.filter((_, i) => i % 7 === 0) };
  },
  { shapes: [[[5, 7]]] },
);

gpuTest('mean of 100,000 equal numbers is that number, of nothing NaN, and NaN passes', async (gpu) => {
  const ask = async (data: Float32Array, shape: number[], dim?: number) => {
    const y = tidy(() => mean(tensor(gpu, data, shape), dim === undefined ? {} : { dim }));
    const values = await y.read();
    y.dispose();
    return values;
  };
  const nan = Number.NaN;
  assertClose('equal', await ask(new Float32Array(100_000).fill(0.1), [100_000]), [0.1], { rtol: 2e-6, atol: 0 });
  assertClose('nothing', await ask(new Float32Array(0), [0]), [nan], { rtol: 0, atol: 0 });
  assertClose('columns of nothing', await ask(new Float32Array(0), [0, 2], 0), [nan, nan], { rtol: 0, atol: 0 });
  assertClose('NaN', await ask(Float32Array.of(nan, 1), [2]), [nan], { rtol: 0, atol: 0 });
});

gpuTest('mean refuses a dimension that is none', (gpu) => {
  tidy(() => assert.throws(() => mean(tensor(gpu, 1), { dim: 1 }), /mean: dim is 1, but x is \[\]; .* from -1 to 0/));
});

run();
