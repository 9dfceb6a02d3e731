import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { mean } from '../../src/ops/mean.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan } from './check.ts';

for (const [options, shapes] of [
  [{}, ['()', '1', '65', '7x11x13', '70001']],
  [{ keepdim: true }, ['3x5']],
  [{ dim: -1 }, ['1x1', '64x10', '5x257', '2x5000']],
  [{ dim: 0 }, ['64x10', '3x4x5']],
  [{ dim: 1, keepdim: true }, ['5x7']],
] as const) {
  checkOp('mean', mean, reference.mean, { options, shapes });
}

checkValues('mean of 100,000 equal numbers is that number', (x) => mean(x!), {
  inputs: [new Float32Array(100_000).fill(0.1)],
  y: [0.1],
  rtol: 2e-6,
});
checkValues('mean passes NaN on', (x) => mean(x!), { inputs: [[nan, 1]], y: [nan] });
checkValues('mean of nothing is NaN', (x) => mean(x!), { inputs: [[]], y: [nan] });

gpuTest('mean of columns without rows is NaN', async (gpu) => {
  const x = empty(gpu, [0, 2]);
  const y = mean(x, { dim: 0 });
  assert.equal([...(await y.read())], [nan, nan]);
  for (const held of [x, y]) held.dispose();
});

checkArguments('mean', mean, { x: 'f32 2x2' }, { options: {} });
checkRefusals('mean', (gpu) => [
  [() => mean(tensor(gpu, 1), { dim: 1 }), /mean: dim is 1, but x is \[\]; .* from -1 to 0/],
]);

run();
