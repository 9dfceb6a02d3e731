export {
  AutomaticUpdateClassWeightModule,
  type AutomaticUpdateOptions,
  type Classifier,
  type ClassifierModule,
  type ClassWeightDiagnostics,
  ClassWeightModule,
  type ClassWeightOptions,
  collectClassificationResults,
  type DataLoader,
  DomainAdversarialLoss,
  type DomainAdversarialLossOptions,
  DomainDiscriminator,
  type DomainDiscriminatorOptions,
  type DomainWeights,
  diagnoseClassWeight,
  type LoaderBatch,
  WarmStartGradientReverseLayer,
  type WarmStartOptions,
} from './adaptation/index.ts';
export { backward, detach, noGrad, record, zeroGrad } from './autograd.ts';
export { type CapturedStep, capture, runSteps } from './capture.ts';
export type { TensorData } from './checks/data.ts';
export { type Batch, type HostImages, ImageDataset } from './data/dataset.ts';
export { DataError, type DataFault } from './data/errors.ts';
export { Sampler } from './data/sampler.ts';
export { FiniteWatch, type NotFinite } from './debug/finiteWatch.ts';
export { type TuneGemmOptions, tuneGemm } from './gemm/tuning.ts';
export { type GemmVariant, type GemmVariants, gemmVariants, setGemmVariants } from './gemm/variants.ts';
export type { AdapterInfo, GemmFamily, GpuOptions, HalfFamily } from './gpu/device.ts';
export { GpuError, type GpuErrorCode } from './gpu/errors.ts';
export { createGpu, type Gpu } from './gpu/gpu.ts';
export { defineKernel, type Grid, type Kernel, type Launch, type LaunchOptions, type Params } from './gpu/kernel.ts';
export type { MemoryInfo } from './gpu/pool.ts';
export type { Profile, ProfileEvent, ProfileRow } from './gpu/profiler.ts';
export { Counter, Scalar } from './gpu/scalar.ts';
export { fromBuffer, native } from './io/buffers.ts';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './io/safetensors.ts';
export { PlainCnn } from './models/plainCnn.ts';
export { type ConvolutionOptions, SmallCnn, type SmallCnnOptions, type SmallCnnOutput } from './models/smallCnn.ts';
export {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormOptions,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  type DropoutOptions,
  Flatten,
  type ForwardOptions,
  Linear,
  type LinearOptions,
  MaxPool2d,
  Module,
  ModuleList,
  Parameter,
  RectifyingModule,
  ReLU,
  Sequential,
  Sigmoid,
} from './nn/index.ts';
export type { HostTensor, LoadResult, StateDict } from './nn/stateDict.ts';
export {
  type AvgPool2dOptions,
  accuracy,
  add,
  argmax,
  avgPool2d,
  type BatchNormOpOptions,
  type BinaryCrossEntropyOptions,
  batchNorm,
  binaryCrossEntropy,
  type Conv2dOpOptions,
  type CrossEntropyOptions,
  columnMean,
  concat,
  confusionMatrix,
  conv2d,
  crossEntropy,
  type DomainLossOptions,
  type DropoutOpOptions,
  domainLoss,
  domainWeights,
  dropout,
  exp,
  flatten,
  gatherRows,
  gradientReversal,
  type ImageBatchOptions,
  imageBatch,
  type LinearOpOptions,
  linear,
  log,
  logSoftmax,
  type MatmulOptions,
  matmul,
  max,
  maxPool2d,
  mean,
  mul,
  type PackedImages,
  type Pair,
  type Pool2dOptions,
  type ReduceOptions,
  relu,
  reshape,
  SoftmaxColumnSums,
  type SoftmaxOptions,
  scale,
  sigmoid,
  sliceRows,
  softmax,
  softmaxColumnMean,
  sub,
  sum,
  tanh,
} from './ops/index.ts';
export {
  Adam,
  type AdamOptions,
  AdamW,
  clipGradNorm,
  InverseDecay,
  type InverseDecayOptions,
  Optimizer,
  type OptimizerGroup,
  type ParameterGroup,
  type ParametersOrGroups,
  Sgd,
  type SgdOptions,
} from './optim/index.ts';
export { Random } from './random.ts';
export type { Shape } from './shape.ts';
export { type Dtype, empty, type GradientRequest, Tensor, tensor, write } from './tensor.ts';
export { keep, tidy } from './tidy.ts';
