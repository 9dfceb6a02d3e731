import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';

// A driver that fell over takes a while to stand again.
const RETRIES = 5;
const RETRY_MS = 1000;
const SAMPLES = 3;

/** A GPU, and what it takes to wait for it when it has nothing to do. */
export interface OpenGpu {
  gpu: Gpu;
  roundTripMs: number;
}

/** @param again whether there was a GPU before: then one may come back that is not there yet */
export async function openGpu(again: boolean): Promise<OpenGpu> {
  for (let left = again ? RETRIES : 0; ; left--) {
    if (again) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    try {
      const gpu = await createGpu();
      return { gpu, roundTripMs: await roundTrip(gpu) };
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

async function roundTrip(gpu: Gpu): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const start = performance.now();
    await gpu.idle();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}
