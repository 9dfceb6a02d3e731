import * as assert from 'uvu/assert';
import { record } from '../../src/autograd.ts';
import { gradCheck } from '../../src/debug/gradCheck.ts';
import { crossEntropy, layerNorm, linear, mul, scale, tanh } from '../../src/ops/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

const random = new Random(3);
const uniform = (size: number) => Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);

/** x^2 with a gradient that is wrong by a factor. */
const square = (factor: number) => (x: Tensor) =>
  record('square', [x], mul(x.view(), x.view()), [x], (dy) => [scale(mul(dy, x), factor)]);

gpuTest('gradCheck accepts the gradients of ops', async (gpu) => {
  const x = tensor(gpu, uniform(63 * 40), [63, 40]);
  const [weight, bias] = [tensor(gpu, uniform(40)), tensor(gpu, uniform(40))];
  const layer = tensor(gpu, uniform(400), [10, 40]);
  const labels = tensor(gpu, new Uint32Array(63).fill(3));
  for (const { error } of [
    await gradCheck(tanh, [x]),
    await gradCheck((x, weight, bias) => layerNorm(x!, { weight: weight!, bias: bias! }), [x, weight, bias]),
    await gradCheck((x, w, labels) => crossEntropy(linear(x!, w!, null), labels!), [x, layer, labels]),
    await gradCheck((x) => square(2)(x!), [x]),
  ])
    assert.ok(error < 0.002, `the error is ${error}`);
  assert.ok(!x.requiresGrad && !x.grad, 'the inputs stay as they are');
  for (const held of [x, weight, bias, layer, labels]) held.dispose();
});

gpuTest('gradCheck reports a wrong gradient, also of one input only', async (gpu) => {
  const x = tensor(gpu, uniform(100));
  const y = tensor(gpu, uniform(100));
  const rejects = async (check: () => Promise<unknown>) => {
    try {
      await check();
    } catch (error) {
      assert.match(
        (error as Error).message,
        /^gradCheck: along a random direction the backward gives (NaN|-?[\d.e-]+), but/,
      );
      return;
    }
    assert.unreachable('the wrong gradient was accepted');
  };
  await rejects(() => gradCheck((x) => square(2.1)(x!), [x]));
  await rejects(() => gradCheck((x) => square(Number.NaN)(x!), [x]));
  const first = (x: Tensor, y: Tensor) =>
    record('first', [x, y], mul(x.view(), y.view()), [x, y], (dy) => [mul(dy, y), null]);
  await rejects(() => gradCheck((x, y) => first(x!, y!), [x, y]));
  // Only the inputs that require a gradient are checked.
  x.requiresGrad = true;
  await gradCheck((x, y) => first(x!, y!), [x, y]);
  for (const held of [x, y]) held.dispose();
});

gpuTest('gradCheck refuses what is no function or no tensors', async (gpu) => {
  const x = tensor(gpu, [1]);
  for (const [args, message] of [
    [[tanh, x], /inputs must be an array of tensors but is a Tensor; write \[x\]/],
    [[tanh, []], /inputs must be an array of tensors/],
    [[x, [x]], /fn must be a function but is a Tensor/],
    [[tanh, [x], { eps: 1 }], /unknown option eps/],
    [[tanh, [x], { step: 0 }], /step must be a number > 0 but is 0/],
  ] as const) {
    const error = await gradCheck(...(args as unknown as Parameters<typeof gradCheck>)).catch((error) => error);
    assert.match(error.message, message);
  }
  x.dispose();
});

run();
