import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { scale } from '../../src/ops/scale.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, ELEMENTS, inf, nan } from './check.ts';

const shapes = [...ELEMENTS, '()'];
checkOp(
  'scale by a number',
  (x) => scale(x!, -2.5),
  (x) => reference.scale(x!, -2.5),
  { shapes },
);
const third = new Scalar(0.3);
checkOp(
  'scale by a Scalar',
  (x) => scale(x!, third),
  (x) => reference.scale(x!, 0.3),
  { shapes },
);

checkValues('scale by infinity is infinite', (x) => scale(x!, inf), { inputs: [[1, -1]], y: [inf, -inf] });
checkValues('scale passes NaN on, even by 0', (x) => scale(x!, 0), {
  inputs: [[nan, 1]],
  y: [nan, 0],
  dy: [1, nan],
  gradients: [[0, nan]],
});

gpuTest('scale by a Scalar takes its value at every run of a captured step, forward and backward', async (gpu) => {
  const factor = new Scalar(2);
  const [x, dy] = [tensor(gpu, [1, 2]), tensor(gpu, [10, 100])];
  x.requiresGrad = true;
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

gpuTest('scale by a Scalar takes the value of its forward in an eager backward', async (gpu) => {
  const factor = new Scalar(2);
  const x = tensor(gpu, [1]);
  x.requiresGrad = true;
  tidy(() => {
    const y = scale(x, factor);
    factor.value = 7;
    backward(y, tensor(gpu, [1]));
  });
  assert.is(await x.grad!.item(), 2);
  x.dispose();
});

checkArguments('scale', scale, { x: 'f32 2x2' }, { more: [2], ignoresMore: true });
checkRefusals('scale', (gpu) => {
  const x = tensor(gpu, [1, 2]);
  return [
    [
      () => scale(x, x as never),
      /scale: factor must be a number or a Scalar \(mul multiplies two tensors\) but is a Tensor/,
    ],
    [() => scale(x, 1e39), /scale.forward: factor is 1e\+39, beyond the largest f32/],
    [() => scale(x, new Scalar(-1e39)), /Scalar: value is -1e\+39, beyond the largest f32/],
    ...['2', undefined, null].map((factor) => [() => scale(x, factor as never), /factor must be a number/] as const),
  ];
});

run();
