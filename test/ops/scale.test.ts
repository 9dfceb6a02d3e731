import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { scale } from '../../src/ops/scale.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, run } from '../harness.ts';
import { eachElement, ODD_SHAPES, valuesOf } from './elementwise.ts';

for (const factor of [-2.5, new Scalar(0.3)]) {
  checkOp(
    `scale ${typeof factor}`,
    ([x]) => scale(x!, factor),
    eachElement((x) => x * (typeof factor === 'number' ? factor : factor.value)),
    { shapes: [...ODD_SHAPES, [[]]] },
  );
}

gpuTest('scale by infinity', async (gpu) => {
  const { y } = await valuesOf(gpu, (x) => scale(x, Number.POSITIVE_INFINITY), [[1, -1]]);
  assert.equal(y, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

gpuTest('scale passes NaN on, even by 0', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, (x) => scale(x, 0), [[Number.NaN, 1]], [1, Number.NaN]);
  assert.equal(
    [y, gradients[0]],
    [
      [Number.NaN, 0],
      [0, Number.NaN],
    ],
  );
});

gpuTest('scale by a scalar: each run of a captured step takes its value, forward and backward', async (gpu) => {
  const factor = new Scalar(2);
  const x = tensor(gpu, [1, 2]);
  x.requiresGrad = true;
  const dy = tensor(gpu, [10, 100]);
  const step = await capture(gpu, () => {
    zeroGrad([x]);
    const y = scale(x, factor);
    backward(y, dy);
    return { y, dx: x.grad! };
  });
  for (const value of [2, -0.5]) {
    factor.value = value;
    step.run();
    assert.equal([...(await step.result.y.read())], [value, 2 * value]);
    assert.equal([...(await step.result.dx.read())], [10 * value, 100 * value]);
  }
  for (const t of [step, x, dy]) t.dispose();
});

gpuTest('scale by a scalar: an eager backward takes the value of its forward', async (gpu) => {
  const factor = new Scalar(2);
  const x = tensor(gpu, [1]);
  x.requiresGrad = true;
  tidy(() => {
    const y = scale(x, factor);
    factor.value = 7;
    backward(y, tensor(gpu, [1]));
  });
  assert.is(await x.grad!.item(), 2);
  x.grad!.dispose();
  x.dispose();
});

gpuTest('scale refuses what is no number of f32', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [1, 2]);
    assert.throws(
      () => scale(x, x as never),
      /scale: factor must be a number or a Scalar \(mul multiplies two tensors\) but is a Tensor/,
    );
    assert.throws(() => scale(x, 1e39), /scale.forward: factor is 1e\+39, beyond the largest f32/);
    assert.throws(() => scale(x, new Scalar(-1e39)), /Scalar: value is -1e\+39, beyond the largest f32/);
    for (const factor of ['2', undefined, null])
      assert.throws(() => scale(x, factor as never), /factor must be a number/);
    assert.throws(() => scale(2 as never, 2), /scale: x must be a tensor but is 2/);
  });
});

run();
