export { Adam, type AdamOptions, AdamW } from './adam.ts';
export { clipGradNorm } from './clipGradNorm.ts';
export { Optimizer, type OptimizerGroup, type ParameterGroup, type ParametersOrGroups } from './optimizer.ts';
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  InverseDecay,
  type InverseDecayOptions,
  LinearLR,
  type LinearLROptions,
  SequentialLR,
} from './schedule.ts';
export { Sgd, type SgdOptions } from './sgd.ts';
