import { batchNorm } from './batchNorm.ts';
import { plainCnn } from './cnn.ts';
import { conv2d } from './conv2d.ts';
import { crossEntropy } from './crossEntropy.ts';
import type { Bench } from './harness/case.ts';
import { ladderConv2d } from './ladder/conv2d/index.ts';
import { ladderMatmul } from './ladder/matmul/index.ts';
import { ladderSoftmax } from './ladder/softmax/index.ts';
import { linear } from './linear.ts';
import { matmul } from './matmul.ts';
import { maxPool2d } from './maxPool2d.ts';
import { pada } from './pada.ts';
import { relu } from './relu.ts';

/** All benches, in the order they run: products first. */
export const benches: readonly Bench[] = [
  plainCnn,
  pada,
  matmul,
  linear,
  conv2d,
  batchNorm,
  maxPool2d,
  crossEntropy,
  relu,
  ladderMatmul,
  ladderSoftmax,
  ladderConv2d,
];
