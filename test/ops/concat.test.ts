import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { concat } from '../../src/ops/concat.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, run } from '../harness.ts';
import { valuesOf } from './elementwise.ts';

// Parts of 64 numbers end at multiples of 256 bytes, so their gradients are views.
checkOp(
  'concat',
  (parts) => concat(parts),
  (parts) => ({
    shape: [parts.reduce((rows, { shape }) => rows + shape[0]!, 0), ...parts[0]!.shape.slice(1)],
    data: Float64Array.from(parts.flatMap(({ data }) => [...data])),
  }),
  {
    shapes: [
      [[1]],
      [[63], [65], [64]],
      [[64], [128], [7]],
      [
        [3, 5, 7],
        [1, 5, 7],
      ],
      [
        [2, 64],
        [2, 64],
      ],
      [
        [0, 3],
        [2, 3],
        [0, 3],
      ],
      Array.from({ length: 10 }, (_, i) => [i + 1, 2]),
    ],
  },
);

gpuTest('concat moves labels and NaN as they are', async (gpu) => {
  const parts = [tensor(gpu, Uint32Array.of(7)), tensor(gpu, Uint32Array.of(2 ** 32 - 1, 9))];
  const y = concat(parts);
  assert.equal([...(await y.readU32())], [7, 2 ** 32 - 1, 9]);
  for (const t of [...parts, y]) t.dispose();
  assert.equal((await valuesOf(gpu, (a, b) => concat([a, b]), [[1], [Number.NaN]])).y, [1, Number.NaN]);
});

gpuTest('concat of a tensor with itself adds up its gradients', async (gpu) => {
  const { gradients } = await valuesOf(gpu, (x) => concat([x, x]), [[1, 2]], [1, 2, 30, 40]);
  assert.equal(gradients, [[31, 42]]);
});

gpuTest('concat gives gradients to those parts that want them', async (gpu) => {
  const [a, b] = [tensor(gpu, [1, 2]), tensor(gpu, [3])];
  b.requiresGrad = true;
  tidy(() => backward(concat([a, b]), tensor(gpu, [5, 6, 7])));
  assert.is(a.grad, null);
  assert.is(await b.grad!.item(), 7);
  for (const t of [a, b.grad!, b]) t.dispose();
});

gpuTest('concat refuses parts that do not fit', (gpu) => {
  tidy(() => {
    assert.throws(() => concat([]), /concat: there are no parts; give at least one/);
    assert.throws(
      () => concat([empty(gpu, [1, 2]), empty(gpu, [1, 3])]),
      /concat: a part is f32 \[1,3\] but the first is f32 \[1,2\]; make all but the number of rows equal/,
    );
    const part = empty(gpu, [1]);
    assert.throws(() => concat(part as never, part as never), /concat: expected an array of tensors but got a Tensor/);
    assert.throws(() => concat([part, part], 1 as never), /concat: dim must be 0, the only .* but is 1/);
    assert.throws(() => concat([part, undefined as never]), /concat: parts\[1\] must be a tensor but is undefined/);
    assert.throws(() => concat([1, 2] as never), /concat: parts\[0\] must be a tensor but is 1/);
    assert.throws(() => concat([empty(gpu, [1]), empty(gpu, [1], 'u32')]), /a part is u32 \[1\] but the first is f32/);
    assert.throws(() => concat([tensor(gpu, 1)]), /a part is f32 \[\]/);
  });
});

run();
