import * as reference from '../../reference/index.ts';
import { CountedScalar } from '../../src/gpu/scalar.ts';
import { dropout as op } from '../../src/ops/dropout.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

const P = 0.5;
const SEED = 7;
// Every run repeats the first draw, which is compared.
const first = new CountedScalar(() => 0, false);

export const dropout = opBench({
  bench: 'dropout',
  sizes: ({ quick }) => [[2 ** 16], ...(quick ? [] : [[2 ** 21]])],
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { p: P, training: true, seed: SEED, counter: first })],
  truth: ({ x }) => [reference.dropout(x, { p: P, seed: SEED, draw: 0 }).data],
});
