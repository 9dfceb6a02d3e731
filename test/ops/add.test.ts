import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { add } from '../../src/ops/add.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, run } from '../harness.ts';
import { BROADCAST_SHAPES, twoElements, valuesOf } from './elementwise.ts';

checkOp(
  'add',
  ([a, b]) => add(a!, b!),
  twoElements((a, b) => a + b),
  { shapes: BROADCAST_SHAPES },
);

gpuTest('add passes NaN and infinity on', async (gpu) => {
  const inf = Number.POSITIVE_INFINITY;
  const { y } = await valuesOf(gpu, add, [
    [Number.NaN, 1, inf, inf, -inf],
    [1, Number.NaN, 1, -inf, -inf],
  ]);
  assert.equal(y, [Number.NaN, Number.NaN, inf, Number.NaN, -inf]);
});

gpuTest('add of a tensor to itself has twice the gradient', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, (x) => add(x, x), [[1, 2]], [3, 4]);
  assert.equal([y, gradients], [[2, 4], [[6, 8]]]);
});

gpuTest('add of no rows: the gradient of what was to be repeated is zero', async (gpu) => {
  const bias = tensor(gpu, [1, 2, 3]);
  bias.requiresGrad = true;
  tidy(() => {
    const y = add(empty(gpu, [0, 3]), bias);
    assert.equal(y.shape, [0, 3]);
    backward(y, empty(gpu, [0, 3]));
  });
  assert.equal([...(await bias.grad!.read())], [0, 0, 0]);
  bias.grad!.dispose();
  bias.dispose();
});

gpuTest('add beyond 65,535 workgroups', async (gpu) => {
  const rows = 64 * 1100;
  const [a, b] = [tensor(gpu, new Float32Array(rows * 60).fill(1)), tensor(gpu, [0.5])];
  b.requiresGrad = true;
  const y = tidy(() => {
    const out = add(a.view([rows, 60]), b);
    backward(out, a.view([rows, 60]));
    return out;
  });
  assert.ok((await y.read()).every((v) => v === 1.5));
  assert.is(await b.grad!.item(), rows * 60);
  b.grad!.dispose();
  for (const t of [a, b, y]) t.dispose();
});

gpuTest('add refuses what does not broadcast', (gpu) => {
  tidy(() => {
    assert.throws(
      () => add(empty(gpu, [2, 3]), empty(gpu, [2])),
      /add: a is \[2,3\] but b is \[2\]; counted from the last, sizes must be equal or 1/,
    );
    assert.throws(
      () => add(empty(gpu, [2, 1, 2, 1, 2]), empty(gpu, [1, 3, 1, 3, 1])),
      /repeated in 5 turns, but at most 4/,
    );
    assert.throws(() => add(empty(gpu, [2], 'u32'), empty(gpu, [2])), /add: a must be f32 but is u32/);
    assert.throws(() => add(empty(gpu, [2]), 1 as never), /add: b must be a tensor but is 1; make one/);
  });
});

run();
