// The pieces of other methods of adaptation in double precision.

import { type Doubles, softmaxColumnMean, type Values } from './ops.ts';

/** w = min(1, s / (share max s))^2 with s = the mean over rows of softmax(logits / T). logits: [n, C] -> [C] */
export function saturatingClassWeight(logits: Values, { temperature = 1, share = 0.3 } = {}): Doubles {
  const s = softmaxColumnMean(logits, { temperature });
  const largest = Math.max(...s.data);
  return { shape: s.shape, data: s.data.map((v) => Math.min(1, v / (share * largest)) ** 2) };
}
