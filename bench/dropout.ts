import { CountedScalar } from '../src/gpu/scalar.ts';
import { dropout as op } from '../src/ops/dropout.ts';
import { uniform } from './harness/inputs.ts';
import { opBench } from './harness/opBench.ts';

const P = 0.5;
const SEED = 7;
const { imul } = Math;

/** pcg3d (Jarzynski & Olano 2020), the last of its three words, as the kernel draws it. */
function hash(x: number, y: number, z: number): number {
  let [a, b, c] = [x, y, z].map((v) => (imul(v, 1664525) + 1013904223) | 0) as [number, number, number];
  a = (a + imul(b, c)) | 0;
  b = (b + imul(c, a)) | 0;
  c = (c + imul(a, b)) | 0;
  [a, b, c] = [a ^ (a >>> 16), b ^ (b >>> 16), c ^ (c >>> 16)];
  a = (a + imul(b, c)) | 0;
  b = (b + imul(c, a)) | 0;
  c = (c + imul(a, b)) | 0;
  return c >>> 0;
}

// Every run makes the first draw, which is the one compared.
const first = new CountedScalar(() => 0, false);

export const dropout = opBench({
  bench: 'dropout',
  shapes: ({ quick }) => [[2 ** 16], ...(quick ? [] : [[2 ** 21]])],
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { p: P, training: true, seed: SEED, counter: first })],
  truth: ({ x }) => [Float64Array.from(x.data, (v, i) => ((hash(i, 0, SEED) >>> 8) / 2 ** 24 >= P ? v / (1 - P) : 0))],
});
