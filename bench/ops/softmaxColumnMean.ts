import * as reference from '../../reference/index.ts';
import { softmaxColumnMean as op } from '../../src/ops/softmaxColumnMean.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

const TEMPERATURE = 0.1;

/** Class weights from a target's logits: few classes, many classes, and more rows than any cache holds. */
export const softmaxColumnMean = opBench({
  bench: 'softmax-column-mean',
  sizes: ({ quick, software }) => [
    [4096, 31],
    ...(quick
      ? []
      : [
          [1024, 1000],
          [software ? 65536 : 1048576, 31],
        ]),
  ],
  inputs: (shape) => ({ x: uniform(shape, { scale: 2 }) }),
  run: ({ x }) => [op(x, { temperature: TEMPERATURE })],
  truth: ({ x }) => [reference.softmaxColumnMean(x, { temperature: TEMPERATURE }).data],
});
