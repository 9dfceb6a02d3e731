import { dense } from './dense.ts';
import type { GoldenRunner } from './format.ts';

/** Who computes the cases of each golden file. */
export const runners: Record<string, GoldenRunner> = {
  dense,
};
