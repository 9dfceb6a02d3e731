import * as reference from '../../reference/index.ts';
import { domainWeights as op } from '../../src/ops/domainWeights.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** Weights of a batch's images from the weights of 10 classes. */
export const domainWeights = opBench({
  bench: 'domain-weights',
  sizes: () => [[64]],
  inputs: ([n]) => ({ classWeight: uniform([10]), labels: integers([n!], 10) }),
  run: ({ classWeight, labels }) => {
    const { source, target } = op(classWeight, labels);
    return [source, target];
  },
  truth: ({ classWeight, labels }) => {
    const { source, target } = reference.domainWeights(classWeight, labels);
    return [source.data, target.data];
  },
});
