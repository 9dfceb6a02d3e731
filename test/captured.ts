import * as assert from 'uvu/assert';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Parameter } from '../src/nn/parameter.ts';
import type { Tensor } from '../src/tensor.ts';

// Helpers of the tests of captured steps.

export const parameter = (gpu: Gpu, value: number | number[], label = 'w'): Parameter => {
  const data = Float32Array.from([value].flat());
  return new Parameter(gpu, data, [data.length], label);
};
export const near = (actual: number, expected: number, what = 'value'): void =>
  assert.ok(Math.abs(actual - expected) < 1e-5, `${what}: expected ${expected}, got ${actual}`);
export const item = async (x: Tensor): Promise<number> => (await x.read())[0]!;
export const refusal = (fn: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(fn)
    .then(
      () => 'nothing was refused',
      (error: Error) => error.message,
    );
export const disposeAll = (...things: ({ dispose(): void } | null | undefined)[]): void => {
  for (const thing of things) thing?.dispose();
};
