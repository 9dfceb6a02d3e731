// The options of methods whose class weights follow the model, and the weights themselves.
import { AutomaticUpdateClassWeightModule, type AutomaticUpdateOptions } from '../../adaptation/automaticUpdate.ts';
import { type ClassWeightKind, classWeightChecks } from '../../adaptation/classWeight.ts';
import { above, inF32, type OptionChecks, wholeFrom } from '../../checks/options.ts';
import type { MethodSetup } from './method.ts';

/** Options of class weights. */
export interface ClassWeightsOptions extends Pick<AutomaticUpdateOptions, 'classWeights' | 'share' | 'floor'> {
  /** Temperature T of the softmax that the class weights are means of. Default: 0.1; in `ba3us` 1. */
  temperature?: number;
  /** Iterations between two updates of the class weights. Default: 100. */
  classWeightUpdateSteps?: number;
}

export const classWeightsDefaults = {
  ...{ temperature: 0.1, classWeightUpdateSteps: 100 },
  ...{ classWeights: 'mean' as ClassWeightKind, share: 0.3, floor: 0 },
};

/** @internal */
export const classWeightsChecks: OptionChecks<ClassWeightsOptions> = {
  ...classWeightChecks,
  temperature: /* @__PURE__ */ inF32(/* @__PURE__ */ above(0)),
  classWeightUpdateSteps: /* @__PURE__ */ wholeFrom(1),
};

/** @internal Throws for a share that would be ignored. */
export function checkShare(who: string, { classWeights, share }: ClassWeightsOptions): void {
  if (classWeights === 'mean' && share !== classWeightsDefaults.share)
    throw new RangeError(
      `${who}: share is ${share}, but classWeights is mean, so it has no effect; leave it out, or choose saturating`,
    );
}

/** @internal Makes the weights of a run. */
export const classWeightsOf = (
  { gpu, target, model, numClasses, eager }: MethodSetup,
  { temperature, classWeightUpdateSteps: updateSteps, classWeights, share, floor }: Required<ClassWeightsOptions>,
): AutomaticUpdateClassWeightModule =>
  new AutomaticUpdateClassWeightModule(gpu, {
    ...{ updateSteps, dataLoader: target, classifier: model, numClasses, temperature, eager },
    ...{ classWeights, share, floor },
  });
