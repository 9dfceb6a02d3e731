import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { add } from '../../src/ops/add.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { BROADCASTS, checkArguments, checkOp, checkRefusals, checkValues, inf, nan, rows } from './check.ts';

checkOp('add', add, reference.add, { shapes: BROADCASTS });

checkValues('add passes NaN and infinity on', add, {
  inputs: rows([nan, 1, inf, inf, -inf], [1, nan, 1, -inf, -inf]),
  y: [nan, nan, inf, nan, -inf],
});
checkValues('add of a tensor to itself has twice the gradient', (x) => add(x!, x!), {
  inputs: [[1, 2]],
  y: [2, 4],
  dy: [3, 4],
  gradients: [[6, 8]],
});

gpuTest('add of no rows gives the repeated tensor a gradient of zero', async (gpu) => {
  const bias = tensor(gpu, [1, 2, 3]);
  bias.requiresGrad = true;
  tidy(() => {
    const y = add(empty(gpu, [0, 3]), bias);
    assert.equal(y.shape, [0, 3]);
    backward(y, empty(gpu, [0, 3]));
  });
  assert.equal([...(await bias.grad!.read())], [0, 0, 0]);
  bias.dispose();
});

const ones = new Float32Array(64 * 66_000).fill(1);
checkValues('add works beyond 65,535 workgroups', add, {
  inputs: [ones, [0.5]],
  y: ones.map(() => 1.5),
  gradients: [ones, [ones.length]],
});

gpuTest('add takes the index and the array that reduce passes, and tanh those that map passes', async (gpu) => {
  const parts = [tensor(gpu, [1, 2]), tensor(gpu, [3, 4])];
  const [sum, ...curves] = tidy(() => [parts.reduce(add), ...parts.map(tanh)]);
  assert.equal([[...(await sum!.read())], curves.length], [[4, 6], 2]);
  for (const t of [...parts, sum!, ...curves]) t.dispose();
});

checkArguments('add', add, { a: 'f32 2x2', b: 'f32 2x2' });
checkRefusals('add', (gpu) => {
  const x = (...shape: number[]) => empty(gpu, shape);
  return [
    [() => add(x(2, 3), x(2)), /add: a is \[2,3\] but b is \[2\]; counted from the last, sizes must be equal or 1/],
    [() => add(x(2, 1, 2, 1, 2), x(1, 3, 1, 3, 1)), /repeated in 5 turns, but at most 4/],
  ];
});

run();
