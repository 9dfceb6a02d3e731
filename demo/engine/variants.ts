import { version } from '../../package.json';
import { type GemmVariants, setGemmVariants } from '../../src/gemm/variants.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { TrainingOptions } from '../../src/train/options.ts';
import { Training } from '../../src/train/training.ts';
import type { TrainingData } from '../../src/train/trainingData.ts';
import { parseVariants } from '../../src/train/variants.ts';
import { type Shelf, shelf } from './shelf.ts';

const MOST_MS = 2000;

/**
 * Gives the Gpu variants of the matrix products of some trainings: those they began with, else those that were chosen on
 * this device before, else the fastest, which are kept for the next visit.
 */
export async function applyVariants(
  gpu: Gpu,
  data: TrainingData,
  trainings: readonly TrainingOptions[],
  begunWith: GemmVariants,
  kept: Shelf = shelf,
): Promise<GemmVariants> {
  const { info, gemmFamily, subgroupSize } = gpu;
  const name = JSON.stringify([version, { ...info, gemmFamily, subgroupSize }]);
  const known = await found(kept, name);
  const end = performance.now() + MOST_MS;
  let variants = begunWith;
  for (const options of trainings) {
    const tuning = { known: { ...known, ...variants }, milliseconds: Math.max(0, end - performance.now()) };
    variants = { ...variants, ...(await Training.tune(gpu, data, options, tuning)) };
  }
  setGemmVariants(gpu, variants);
  // Those of a file that was opened may be another device's.
  const chosen = Object.entries(variants).filter(([of]) => !begunWith[of] && !known[of]);
  if (chosen.length > 0) await kept.put(name, { ...known, ...Object.fromEntries(chosen) });
  return variants;
}

async function found(kept: Shelf, name: string): Promise<GemmVariants> {
  try {
    return parseVariants((await kept.get(name)) ?? {});
  } catch {
    // Whatever else lies there is replaced by what is chosen now.
    return {};
  }
}
