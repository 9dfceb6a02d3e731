import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { linear } from '../../src/ops/linear.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

// A kernel is compiled for each way of loading and storing, which takes a software adapter a second: the cases share them.
// Sizes around the edges of every family's tiles; then large k in y and in each gradient, which is split; then an x of three dimensions.
for (const [options, shapes] of [
  [
    { relu: true },
    [
      ...['1x1 1x1 1', '7x9 15x9 15', '17x31 33x31 33', '65x63 127x63 127', '129x127 65x127 65'],
      ...['17x2003 19x2003 19', '17x19 2003x19 2003', '2003x17 19x17 19'],
      '64x128 20x128',
    ],
  ],
  [{ relu: false }, ['32x20 64x20 64', '17x19 33x19', '3x2x5x20 36x20 36']],
] as const) {
  checkOp(
    `linear ${JSON.stringify(options)}`,
    (x, weight, bias) => linear(x!, weight!, bias ?? null, options),
    (x, weight, bias) => reference.linear(x!, weight!, bias ?? null, options),
    {
      shapes,
      atol: 2e-5,
      backward: (dy, x, weight, bias) => {
        const y = reference.linear(x!, weight!, bias ?? null, options);
        const [n, k] = weight!.shape as [number, number];
        const dz = reference.reshape(options.relu ? reference.reluBackward(y, dy) : dy, [y.data.length / n, n]);
        return Object.values(reference.linearBackward(reference.reshape(x!, [y.data.length / n, k]), weight!, dz));
      },
    },
  );
}

gpuTest('linear computes only the gradients that are wanted', async (gpu) => {
  const x = tensor(gpu, rows([1, 2], [3, 4]));
  const [weight, bias, dy] = [tensor(gpu, [[5, 6]]), tensor(gpu, [-20]), tensor(gpu, [[1], [1]])];
  const ask = async (wanted: string) => {
    const leaves = { x, weight, bias };
    for (const [name, leaf] of Object.entries(leaves)) leaf.requiresGrad = wanted.includes(name);
    const step = await capture(gpu, () => backward(linear(x, weight, bias, { relu: true }), dy));
    step.run();
    const grads = await Promise.all(
      Object.values(leaves).map(async (leaf) => leaf.grad && [...(await leaf.grad.read())]),
    );
    const { dispatches } = step;
    zeroGrad(Object.values(leaves));
    step.dispose();
    return [dispatches, ...grads];
  };
  // y = relu([17, 39] - 20) = [0, 19], so only the second row counts.
  assert.equal(await ask('x weight bias'), [3, [0, 0, 5, 6], [3, 4], [1]]);
  assert.equal(await ask('weight bias'), [2, null, [3, 4], [1]]);
  assert.equal(await ask('weight'), [2, null, [3, 4], null]);
  assert.equal(await ask('bias'), [2, null, null, [1]]);
  assert.equal(await ask('x'), [2, [0, 0, 5, 6], null, null]);
  for (const one of [x, weight, bias, dy]) one.dispose();
});

gpuTest('linear writes the gradients of weight and bias to their places in one buffer', async (gpu) => {
  const flat = tensor(gpu, new Float32Array(128).fill(-1));
  const [x, weight, bias, dy] = [
    tensor(gpu, [[1, 2, 3]]),
    empty(gpu, [2, 3]),
    empty(gpu, [2]),
    tensor(gpu, [[10, 20]]),
  ];
  weight.gradSlot = flat.view([2, 3]);
  bias.gradSlot = flat.view([2], 256);
  for (const one of [weight, bias]) one.requiresGrad = true;
  tidy(() => backward(linear(x, weight, bias), dy));
  const expected = new Float32Array(128).fill(-1);
  expected.set([10, 20, 30, 20, 40, 60], 0);
  expected.set([10, 20], 64);
  assert.equal(await flat.read(), expected);
  for (const one of [weight.gradSlot, bias.gradSlot, flat, x, weight, bias, dy]) one.dispose();
});

const rectified = linearOf(rows([5, 6], [-5, 6], [0, 0]), [-20, 0, 1]);
checkValues('linear of a vector is a vector', (x) => rectified(x!, true), { inputs: [[1, 2]], y: [0, 7, 1] });
const withNaN = linearOf(rows([1, 1, 1], [-1, 0, 0]), [0, nan]);
for (const relu of [true, false])
  checkValues(`linear passes NaN on${relu ? ', through ReLU too' : ''}`, (x) => withNaN(x!, relu), {
    inputs: [rows([1, nan, 1], [-1, -1, -1])],
    y: [nan, nan, relu ? 0 : -3, nan],
  });

function linearOf(weight: number[][], bias: number[]) {
  return (x: Parameters<typeof linear>[0], relu: boolean) =>
    linear(x, tensor(x.gpu, weight), tensor(x.gpu, bias), { relu });
}

gpuTest('linear of no rows is empty and its gradients are zero; of no features it is its bias', async (gpu) => {
  const [weight, bias] = [tensor(gpu, new Float32Array(6), [2, 3]), tensor(gpu, [-1, 2])];
  for (const one of [weight, bias]) one.requiresGrad = true;
  tidy(() => backward(linear(empty(gpu, [0, 3]), weight, bias), empty(gpu, [0, 2])));
  assert.equal([await weight.grad!.read(), await bias.grad!.read()], [new Float32Array(6), new Float32Array(2)]);
  const y = tidy(() => linear(empty(gpu, [2, 0]), empty(gpu, [2, 0]), bias, { relu: true }));
  assert.equal([...(await y.read())], [0, 2, 0, 2]);
  for (const one of [weight, bias, y]) one.dispose();
});

checkArguments('linear', linear, { x: 'f32 2x2', weight: 'f32 2x2', bias: 'f32 2' }, { options: {} });
checkRefusals('linear', (gpu) => {
  const x = empty(gpu, [2, 3]);
  return [
    [
      () => linear(x, empty(gpu, [4, 2])),
      /linear: weight is \[4,2\] but x is \[2,3\]; they must be \[outFeatures, inFeatures\] and \[\.\.\., inFeatures\]/,
    ],
    [() => linear(x, empty(gpu, [3])), /linear: weight is \[3\]/],
    [() => linear(x, empty(gpu, [4, 3]), empty(gpu, [3])), /linear: bias must be \[4\] but is \[3\]/],
  ];
});

run();
