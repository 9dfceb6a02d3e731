import { accuracy } from './accuracy.ts';
import { add } from './add.ts';
import { avgPool2d } from './avgPool2d.ts';
import { batchNorm } from './batchNorm.ts';
import { binaryCrossEntropy } from './binaryCrossEntropy.ts';
import { plainCnn } from './cnn.ts';
import { confusionMatrix } from './confusionMatrix.ts';
import { conv2d } from './conv2d.ts';
import { crossEntropy } from './crossEntropy.ts';
import { domainLoss } from './domainLoss.ts';
import { domainWeights } from './domainWeights.ts';
import { dropout } from './dropout.ts';
import { exp } from './exp.ts';
import { gatherRows } from './gatherRows.ts';
import type { Bench } from './harness/case.ts';
import { imageBatch } from './imageBatch.ts';
import { ladderConv2d } from './ladder/conv2d/index.ts';
import { ladderMatmul } from './ladder/matmul/index.ts';
import { ladderSoftmax } from './ladder/softmax/index.ts';
import { linear } from './linear.ts';
import { log } from './log.ts';
import { logSoftmax } from './logSoftmax.ts';
import { matmul } from './matmul.ts';
import { max } from './max.ts';
import { maxPool2d } from './maxPool2d.ts';
import { mul } from './mul.ts';
import { pada } from './pada.ts';
import { relu } from './relu.ts';
import { scale } from './scale.ts';
import { sigmoid } from './sigmoid.ts';
import { sliceRows } from './sliceRows.ts';
import { softmax } from './softmax.ts';
import { softmaxColumnMean } from './softmaxColumnMean.ts';
import { sub } from './sub.ts';
import { sum } from './sum.ts';
import { tanh } from './tanh.ts';

/** All benches in the order they run: whole steps, products, then what streams through memory, then the ladders. */
export const benches: readonly Bench[] = [
  ...[plainCnn, pada],
  ...[matmul, linear, conv2d],
  ...[softmaxColumnMean, softmax, logSoftmax, crossEntropy, binaryCrossEntropy, domainLoss, domainWeights],
  ...[batchNorm, maxPool2d, avgPool2d, dropout],
  ...[relu, sigmoid, tanh, exp, log, scale, add, sub, mul],
  ...[sum, max, accuracy, confusionMatrix],
  ...[gatherRows, sliceRows, imageBatch],
  ...[ladderMatmul, ladderSoftmax, ladderConv2d],
];
