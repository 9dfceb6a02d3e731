import * as reference from '../../reference/index.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { scale } from '../../src/ops/scale.ts';
import { tensor } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkScalar, checkValues, ELEMENTS, inf, nan } from './check.ts';

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

checkScalar('scale', scale, (value) => ({ y: value, dx: value }));

checkArguments('scale', scale, { x: 'f32 2x2' }, { more: [2] });
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
