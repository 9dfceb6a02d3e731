import * as reference from '../../reference/index.ts';
import { layerNorm as op } from '../../src/ops/layerNorm.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const layerNorm = opBench({
  bench: 'layer-norm',
  sizes: matrices,
  inputs: ([rows, cols]) => ({
    x: uniform([rows, cols]),
    weight: uniform([cols], { seed: 2 }),
    bias: uniform([cols], { seed: 3 }),
  }),
  run: ({ x, weight, bias }) => [op(x, { weight, bias })],
  truth: ({ x, weight, bias }) => [reference.layerNorm(x, weight, bias).data],
  tolerance: 1e-5,
});
