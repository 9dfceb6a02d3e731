export { type ADistanceOptions, aDistance } from './aDistance.ts';
export { AutomaticUpdateClassWeightModule, type AutomaticUpdateOptions } from './automaticUpdate.ts';
export { BalancedAdversarialLoss, type BalancedBatch } from './balancedAdversarialLoss.ts';
export type { Classifier, ClassifierModule, DataLoader, LoaderBatch } from './classify.ts';
export { type ClassWeightKind, ClassWeightModule, type ClassWeightOptions, raiseClassWeight } from './classWeight.ts';
export { collectClassificationResults } from './collect.ts';
export { type ClassWeightDiagnostics, diagnoseClassWeight, fallenClasses } from './diagnostics.ts';
export {
  DomainAdversarialLoss,
  type DomainAdversarialLossOptions,
  type DomainWeights,
} from './domainAdversarialLoss.ts';
export { DomainDiscriminator, type DomainDiscriminatorOptions } from './domainDiscriminator.ts';
export { WarmStartGradientReverseLayer, type WarmStartOptions } from './gradientReversal.ts';
export { ImportanceWeightModule } from './importanceWeight.ts';
export {
  AdaptiveFeatureNorm,
  alphaPowerLoss,
  complementEntropyLoss,
  MinimumClassConfusionLoss,
} from './losses.ts';
export { balancePseudoLabels, type PseudoLabelOptions, type PseudoLabels, pseudoLabels } from './pseudoLabels.ts';
