import * as reference from '../../reference/index.ts';
import { clamp } from '../../src/ops/clamp.ts';
import { empty } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, distinct, ELEMENTS, inf, nan } from './check.ts';

for (const options of [{ min: -0.501, max: 0.251 }, { min: 0.0007 }, { max: -0.3003 }])
  checkOp('clamp', clamp, reference.clamp, { shapes: ELEMENTS, fill: distinct, step: 1e-5, options });

checkValues(
  'clamp passes NaN on, and its gradient passes at the ends of the range',
  (x) => clamp(x!, { min: -1, max: 2 }),
  {
    inputs: [[nan, -2, -1, 0, 2, 3, inf, -inf]],
    y: [nan, -1, -1, 0, 2, 2, 2, -1],
    dy: [1, 2, 3, 4, 5, 6, 7, 8],
    gradients: [[0, 0, 3, 4, 5, 0, 0, 0]],
  },
);
checkValues('clamp stops an infinite gradient outside the range', (x) => clamp(x!, { min: 0 }), {
  inputs: [[-1, 0, 1, inf]],
  y: [0, 0, 1, inf],
  dy: [inf, inf, nan, 1],
  gradients: [[0, inf, nan, 1]],
});
checkValues('clamp with min > max gives max, but keeps NaN', (x) => clamp(x!, { min: 3, max: 1 }), {
  inputs: [[nan, 0, 2, 4]],
  y: [nan, 1, 1, 1],
  gradients: [[0, 0, 0, 0]],
});
checkArguments('clamp', clamp, { x: 'f32 2x2' }, { options: { min: 0 } });
checkRefusals('clamp', (gpu) => {
  const x = empty(gpu, [1]);
  return [
    [() => clamp(x, {}), /clamp: it has no limit; give min, max or both/],
    [() => clamp(x, undefined as never), /clamp: it has no limit; give min, max or both/],
    [() => clamp(x, { min: nan }), /clamp: min must be a number but is NaN/],
    [() => clamp(x, { max: 1e39 }), /clamp.forward: high is 1e\+39, beyond the largest f32/],
  ];
});

run();
