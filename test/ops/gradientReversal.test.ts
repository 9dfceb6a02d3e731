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
import { checkArguments, checkValues, nan } from './check.ts';

for (const size of [1, 63, 64, 65, 1009]) {
  const x = Array.from({ length: size }, (_, i) => i - 7);
  checkValues(
    `gradientReversal of ${size} is the identity, its gradient -coefficient dy`,
    (x) => gradientReversal(x!, 0.5),
    {
      inputs: [x],
      y: x,
      dy: x.map((v) => v / 4),
      gradients: [x.map((v) => v / -8)],
    },
  );
}
checkValues('gradientReversal passes NaN on, even by 0', (x) => gradientReversal(x!, 0), {
  inputs: [[nan, 2]],
  y: [nan, 2],
  dy: [nan, 1],
  gradients: [[nan, 0]],
});

gpuTest('gradientReversal shares memory with its input', async (gpu) => {
  const x = tensor(gpu, [3, 1]);
  const y = gradientReversal(x, 1);
  assert.is(native(y).buffer, native(x).buffer);
  x.dispose();
  assert.equal([...(await y.read())], [3, 1]);
  y.dispose();
});

gpuTest('gradientReversal by a Scalar takes its value at every run of a captured step', async (gpu) => {
  const coefficient = new Scalar(0);
  const [x, dy] = [tensor(gpu, [1, 2]), tensor(gpu, [10, 100])];
  x.requiresGrad = true;
  const step = await capture(gpu, () => {
    zeroGrad([x]);
    backward(gradientReversal(scale(x, 3), coefficient), dy);
    return x.grad!;
  });
  for (const value of [0, 0.25, 1]) {
    coefficient.value = value;
    step.run();
    assert.equal([...(await step.result.read())], [-30 * value, -300 * value]);
  }
  for (const t of [step, x, dy]) t.dispose();
});

gpuTest('gradientReversal by a Scalar takes the value of its forward in an eager backward', async (gpu) => {
  const coefficient = new Scalar(2);
  const x = tensor(gpu, [1]);
  x.requiresGrad = true;
  tidy(() => {
    const y = gradientReversal(x, coefficient);
    coefficient.value = 7;
    backward(y, tensor(gpu, [1]));
  });
  assert.is(await x.grad!.item(), -2);
  x.dispose();
});
checkArguments('gradientReversal', gradientReversal, { x: 'f32 2x2' }, { more: [1], ignoresMore: true });

run();
