import { domainWeights } from '../../src/ops/domainWeights.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load, loadLabels } from './format.ts';

/** Weights of a batch's images out of class weights. */
export const classWeightAdversarial: GoldenRunner = (gpu, { inputs }) =>
  tidy(() => {
    const { source, target } = domainWeights(
      load(gpu, inputs.class_weight, 'w'),
      loadLabels(gpu, inputs.source_labels),
    );
    return { outputs: { w_s: source, w_t: target } };
  });
