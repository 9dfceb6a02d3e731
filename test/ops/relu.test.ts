import { relu } from '../../src/ops/relu.ts';
import { tensor } from '../../src/tensor.ts';
import { assertClose, checkOp, gpuTest, run } from '../harness.ts';

checkOp(
  'relu',
  ([x]) => relu(x!),
  ([x]) => ({ shape: x!.shape, data: x!.data.map((v) => Math.max(v, 0)) }),
  { shapes: [[[1]], [[63]], [[64]], [[65]], [[7, 11, 13]]] },
);

gpuTest('relu passes NaN on', async (gpu) => {
  const x = tensor(gpu, [Number.NaN, -1, 0, 2]);
  const y = relu(x);
  assertClose('relu', await y.read(), [Number.NaN, 0, 0, 2], { rtol: 0, atol: 0 });
  x.dispose();
  y.dispose();
});

gpuTest('relu beyond 65,535 workgroups', async (gpu) => {
  const size = 64 * 65535 + 100;
  const x = tensor(
    gpu,
    Float32Array.from({ length: size }, (_, i) => (i % 2 ? i : -i)),
  );
  const y = relu(x);
  const values = await y.read();
  for (let i = 0; i < size; i++) {
    if (values[i] !== Math.fround(i % 2 ? i : 0)) throw new Error(`element ${i} is ${values[i]}`);
  }
  x.dispose();
  y.dispose();
});

run();
