import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';

// A driver that crashed needs some time to restart.
const RETRIES = 5;
const RETRY_MS = 1000;
const SAMPLES = 3;

/** A GPU, and the milliseconds that waiting for it takes if it has no work. */
export interface OpenGpu {
  gpu: Gpu;
  roundTripMs: number;
}

/** Opens a GPU. With `again`, after the loss of another one, it waits and retries. */
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
