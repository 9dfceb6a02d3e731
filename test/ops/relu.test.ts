import * as reference from '../../reference/index.ts';
import { relu } from '../../src/ops/relu.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkValues, ELEMENTS, inf, nan } from './check.ts';

checkOp('relu', relu, reference.relu, { shapes: ELEMENTS });

checkValues('relu passes NaN on, and its gradient is 0 at 0', relu, {
  inputs: [[nan, -1, 0, 2, inf, -inf]],
  y: [nan, 0, 0, 2, inf, 0],
  dy: [1, 2, 3, 4, 5, 6],
  gradients: [[1, 0, 0, 4, 5, 0]],
});

const many = Float32Array.from({ length: 64 * 65535 + 100 }, (_, i) => (i % 2 ? i : -i));
checkValues('relu works beyond 65,535 workgroups', relu, { inputs: [many], y: many.map((v) => Math.max(v, 0)) });
checkArguments('relu', relu, { x: 'f32 2x2' });

run();
