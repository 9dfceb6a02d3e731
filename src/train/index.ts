export { type CsvOptions, readCsv } from '../data/readers/csv.ts';
export { decodeIdx, type IdxArray, type IdxImages, type NamedBytes, readImages } from '../data/readers/idx.ts';
export {
  type Decode,
  type DecodedImage,
  type DecodeOptions,
  type ImageFile,
  imagesOfFolder,
  imagesOfList,
  type ReadImageFilesOptions,
  type Resize,
  readImageFiles,
} from '../data/readers/images.ts';
export { classNamesOf, matchClasses } from '../data/readers/names.ts';
export { type NpyFiles, readNpy } from '../data/readers/npy.ts';
export { readFeatures } from '../data/readers/safetensors.ts';
export { limit, parseClasses, selectClasses } from '../data/subset.ts';
export { type Anomaly, AnomalyError, detectAnomaly } from '../debug/anomaly.ts';
export { NotFiniteError } from '../debug/finiteWatch.ts';
export type { CompileProgress } from '../gpu/compilation.ts';
export type { TrainCallbacks } from './callbacks.ts';
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
export { Evaluator, type EvaluatorOptions, type LogitsModel } from './evaluate.ts';
export type { ClassWeightEvent, Evaluation, EvaluationEvent, IterationMetrics } from './events.ts';
export { type TrainResult, type TrainSettings, train } from './loop.ts';
export { type AdditionOptions, withTargetLosses } from './methods/additions.ts';
export { type AfnOptions, afn } from './methods/afn.ts';
export { type Ba3usOptions, ba3us } from './methods/ba3us.ts';
export { type DannOptions, dann } from './methods/dann.ts';
export { type IwanOptions, iwan } from './methods/iwan.ts';
export { type MccOptions, mcc } from './methods/mcc.ts';
export type { Batches, ClassWeights, Losses, Method, MethodSetup, Recipe } from './methods/method.ts';
export { type PadaOptions, pada } from './methods/pada.ts';
export { type SelfTrainingOptions, selfTraining } from './methods/selfTraining.ts';
export { sourceOnly } from './methods/sourceOnly.ts';
export {
  type BatchNormDomains,
  completeOptions,
  defaultOptions,
  type TrainerSettings,
  type TrainingData,
  type TrainingOptions,
} from './options.ts';
export { type Predictions, type PredictOptions, predict } from './predict.ts';
export {
  type ChooseOptions,
  CRITERIA,
  type Criterion,
  type Scores,
  type Selection,
  Selector,
  type SelectorOptions,
} from './select.ts';
export { Trainer } from './trainer.ts';
