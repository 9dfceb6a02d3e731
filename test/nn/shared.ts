import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Linear, type Module, Parameter } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { tidy } from '../../src/tidy.ts';

// Shared by the tests of modules.

export const linear = (gpu: Gpu): Linear => new Linear(gpu, { inFeatures: 2, outFeatures: 2, random: new Random(1) });
export const parameter = (gpu: Gpu, label = 'w'): Parameter =>
  new Parameter(gpu, Float32Array.of(1, 0, 0, 1), [2, 2], label);
export const names = (net: Module): string[] => [...net.namedParameters()].map(([name]) => name);

/** Expects a TypeError whose message matches every pattern. */
export const refuses = (call: () => unknown, ...said: RegExp[]) =>
  assert.throws(
    () => tidy(() => void call()),
    (error: Error) => {
      if (!(error instanceof TypeError && said.every((part) => part.test(error.message)))) throw error;
      return true;
    },
  );
