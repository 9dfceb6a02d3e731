import { plainCnn } from './cnn.ts';
import type { Bench } from './harness/case.ts';
import { ladderConv2d } from './ladder/conv2d/index.ts';
import { ladderMatmul } from './ladder/matmul/index.ts';
import { ladderSoftmax } from './ladder/softmax/index.ts';
import * as ops from './ops/index.ts';
import { pada } from './pada.ts';

/** All benches in the order in which they run: whole steps, ops, ladders. */
export const benches: readonly Bench[] = [
  ...[plainCnn, pada],
  ...Object.values<Bench>(ops),
  ...[ladderMatmul, ladderSoftmax, ladderConv2d],
];
