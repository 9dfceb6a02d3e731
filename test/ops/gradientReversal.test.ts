import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { native } from '../../src/io/buffers.ts';
import { gradientReversal } from '../../src/ops/gradientReversal.ts';
import { scale } from '../../src/ops/scale.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { valuesOf } from './elementwise.ts';

for (const size of [1, 63, 64, 65, 1009]) {
  gpuTest(`gradientReversal of ${size}: the identity, and minus the coefficient times the gradient`, async (gpu) => {
    const x = Array.from({ length: size }, (_, i) => i - 7);
    const dy = x.map((v) => v / 4);
    const { y, gradients } = await valuesOf(gpu, (leaf) => gradientReversal(leaf, 0.5), [x], dy);
    assert.equal([y, gradients[0]], [x, dy.map((v) => -0.5 * v)]);
  });
}

gpuTest('gradientReversal shares memory with its input, and passes NaN on', async (gpu) => {
  const x = tensor(gpu, [Number.NaN, 1]);
  const y = gradientReversal(x, 1);
  assert.is(native(y).buffer, native(x).buffer);
  x.dispose();
  assert.equal([...(await y.read())], [Number.NaN, 1]);
  y.dispose();
  const { gradients } = await valuesOf(gpu, (leaf) => gradientReversal(leaf, 0), [[1, 2]], [Number.NaN, 1]);
  assert.equal(gradients[0], [Number.NaN, 0]);
});

gpuTest('gradientReversal by a scalar: each run of a captured step takes its value', async (gpu) => {
  const coefficient = new Scalar(0);
  const x = tensor(gpu, [1, 2]);
  const dy = tensor(gpu, [10, 100]);
  x.requiresGrad = true;
  const step = await capture(gpu, () => {
    zeroGrad([x]);
    const features = scale(x, 3);
    backward(gradientReversal(features, coefficient), dy);
    return x.grad!;
  });
  for (const value of [0, 0.25, 1]) {
    coefficient.value = value;
    step.run();
    assert.equal([...(await step.result.read())], [-30 * value, -300 * value]);
  }
  for (const t of [step.result, step, x, dy]) t.dispose();
});

gpuTest('gradientReversal by a scalar: an eager backward takes the value of its forward', async (gpu) => {
  const coefficient = new Scalar(2);
  const x = tensor(gpu, [1]);
  x.requiresGrad = true;
  tidy(() => {
    const y = gradientReversal(x, coefficient);
    coefficient.value = 7;
    backward(y, tensor(gpu, [1]));
  });
  assert.is(await x.grad!.item(), -2);
  x.grad!.dispose();
  x.dispose();
});

run();
