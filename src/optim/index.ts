export { Adam, type AdamOptions, AdamW } from './adam.ts';
export { clipGradNorm } from './clipGradNorm.ts';
export { Optimizer, type OptimizerGroup, type ParameterGroup, type ParametersOrGroups } from './optimizer.ts';
export { InverseDecay, type InverseDecayOptions } from './schedule.ts';
export { Sgd, type SgdOptions } from './sgd.ts';
