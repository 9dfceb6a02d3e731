export { decodeIdx, type IdxArray, type IdxImages, type NamedBytes, readImages } from '../data/idx.ts';
export { limit, parseClasses, selectClasses } from '../data/subset.ts';
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
export { Evaluator } from './evaluate.ts';
export type { ClassWeightEvent, Evaluation, IterationMetrics } from './events.ts';
export { NotFiniteError } from './notFinite.ts';
export { completeOptions, defaultOptions, type Method, type TrainingOptions } from './options.ts';
export { type EvaluationEvent, type TrainCallbacks, type TrainResult, type TrainSettings, train } from './train.ts';
export { Training, type TrainingData } from './training.ts';
