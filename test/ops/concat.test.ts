import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, noGrad } from '../../src/autograd.ts';
import { add } from '../../src/ops/add.ts';
import { concat } from '../../src/ops/concat.ts';
import { slice } from '../../src/ops/slice.ts';
import { Sgd } from '../../src/optim/sgd.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkOp, checkRefusals, checkValues, nan } from './check.ts';

// Parts of 64 numbers end at multiples of 256 bytes, so their gradients are views.
checkOp('concat', (...parts) => concat(parts), reference.concat, {
  shapes: [
    ...['1', '63 65 64', '64 128 7', '3x5x7 1x5x7', '2x64 2x64', '0x3 2x3 0x3'],
    '1x2 2x2 3x2 4x2 5x2 6x2 7x2 8x2 9x2 10x2',
  ],
});

for (const [dim, shapes] of [
  [1, ['2x3 2x1', '3x64 3x64', '2x1x3 2x4x3 2x2x3', '1x64 1x64', '2x0 2x3']],
  [-1, ['2x3 2x1', '2x3x1 2x3x4', '5', '300x3 300x7']],
  [-3, ['2x3x4 1x3x4']],
] as const) {
  checkOp(
    `concat along ${dim}`,
    (...parts) => concat(parts, dim),
    (...parts) => reference.concatAlong(dim, ...parts),
    { shapes },
  );
}

checkValues('concat copies labels as they are', (...parts) => concat(parts), {
  inputs: [Uint32Array.of(7), Uint32Array.of(2 ** 32 - 1, 9)],
  y: [7, 2 ** 32 - 1, 9],
});
checkValues('concat passes NaN on', (...parts) => concat(parts), { inputs: [[1], [nan]], y: [1, nan] });
checkValues('concat of a tensor with itself adds up its gradients', (x) => concat([x!, x!]), {
  inputs: [[1, 2]],
  dy: [1, 2, 30, 40],
  gradients: [[31, 42]],
});

gpuTest('concat shares memory with views that lie side by side, and copies all others', async (gpu) => {
  const x = tensor(
    gpu,
    Float32Array.from({ length: 192 }, (_, i) => i),
    [3, 64],
  );
  const [a, b, c] = [slice(x, 0, 1), slice(x, 1, 2), slice(x, 2, 3)];
  for (const [parts, shared, rows] of [
    [[a, b], true, [0, 1]],
    [[b, c], true, [1, 2]],
    [[a, b, c], true, [0, 1, 2]],
    [[b, a], false, [1, 0]],
    [[a, c], false, [0, 2]],
  ] as const) {
    const y = concat(parts);
    assert.is(y.storage === x.storage, shared, `rows ${rows}`);
    const read = await y.read();
    assert.equal(
      rows.map((_, i) => read[64 * i]),
      rows.map((row) => 64 * row),
    );
    y.dispose();
  }
  x.requiresGrad = true;
  const weights = Float32Array.from({ length: 192 }, (_, i) => i % 7);
  tidy(() => backward(concat([slice(x, 0, 2), slice(x, 2, 3)]), tensor(gpu, weights, [3, 64])));
  assert.equal(await x.grad!.read(), weights);
  for (const t of [a, b, c, x.grad!, x]) t.dispose();
});

gpuTest('concat copies parameters that lie side by side: an update does not change the copy', async (gpu) => {
  const parameters = [1, 2].map((v) =>
    Object.assign(tensor(gpu, new Float32Array(64).fill(v)), { requiresGrad: true }),
  );
  const optimizer = new Sgd(parameters, { lr: 1 });
  const y = noGrad(() => concat(parameters));
  tidy(() => backward(add(parameters[0]!, parameters[1]!), tensor(gpu, new Float32Array(64).fill(1))));
  optimizer.step();
  const [first, second] = [(await y.read())[0], (await y.read())[64]];
  assert.equal([first, second, (await parameters[0]!.read())[0]], [1, 2, 0]);
  for (const t of [y, optimizer, ...parameters]) t.dispose();
});

gpuTest('concat gives gradients only to the parts that want them', async (gpu) => {
  const [a, b] = [tensor(gpu, [1, 2]), tensor(gpu, [3])];
  b.requiresGrad = true;
  tidy(() => backward(concat([a, b]), tensor(gpu, [5, 6, 7])));
  assert.is(a.grad, null);
  assert.is(await b.grad!.item(), 7);
  for (const t of [a, b]) t.dispose();
});

checkRefusals('concat', (gpu) => {
  const part = empty(gpu, [1]);
  return [
    [() => concat([]), /concat: there are no parts; give at least one/],
    [
      () => concat([empty(gpu, [1, 2]), empty(gpu, [1, 3])]),
      /concat: a part is f32 \[1,3\] but the first is f32 \[1,2\]; all sizes but that of dimension 0 must be equal/,
    ],
    [() => concat(part as never, part as never), /concat: expected an array of tensors but got a Tensor/],
    [() => concat([part, part], 1), /concat: dim is 1, but x is \[1\]; it must be a whole number from -1 to 0/],
    [() => concat([part, part], { dim: 0 } as never), /concat: dim must be a whole number but is an Object/],
    [() => concat([empty(gpu, [1, 2]), part], 1), /a part is f32 \[1\] but the first is f32 \[1,2\]/],
    [() => concat([part, undefined as never]), /concat: parts\[1\] must be a tensor but is undefined/],
    [() => concat([1, 2] as never), /concat: parts\[0\] must be a tensor but is 1/],
    [() => concat([part, empty(gpu, [1], 'u32')]), /a part is u32 \[1\] but the first is f32/],
    [() => concat([tensor(gpu, 1)]), /a part is f32 \[\]/],
  ];
});

run();
