import * as reference from '../../reference/index.ts';
import { affineSample as op } from '../../src/ops/affineSample.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

export const affineSample = opBench({
  bench: 'affine-sample',
  sizes: () => [[64, 3, 32, 32]],
  inputs: (shape) => ({ x: uniform(shape), theta: uniform([shape[0]!, 2, 3]) }),
  run: ({ x, theta }) => [op(x, theta)],
  truth: ({ x, theta }) => [reference.affineSample(x, theta).data],
});
