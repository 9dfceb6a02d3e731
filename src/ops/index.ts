export { accuracy } from './accuracy.ts';
export { type BatchNormOpOptions, batchNorm } from './batchNorm.ts';
export { confusionMatrix } from './confusionMatrix.ts';
export { type CrossEntropyOptions, crossEntropy } from './crossEntropy.ts';
export { type DomainLossOptions, domainLoss } from './domainLoss.ts';
export { domainWeights } from './domainWeights.ts';
export { type ImageBatchOptions, imageBatch, type PackedImages } from './imageBatch.ts';
export { type MatmulOptions, matmul } from './matmul.ts';
export { relu } from './relu.ts';
