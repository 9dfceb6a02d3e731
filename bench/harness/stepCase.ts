// Cases of whole steps: timed by the wall clock, which includes the host's share, and counted at the device.
import { countCalls, watchMemory } from '../../src/debug/deviceCalls.ts';
import { percentOfPeak } from '../../src/debug/profile.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { setFloat32MatmulPrecision, useSubgroupMatrices } from '../../src/gemm/precision.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Case } from './case.ts';
import { failedRow, type Row } from './row.ts';
import { type Session, times } from './session.ts';

/** A whole step that can be repeated. */
export interface PreparedStep {
  /** Runs one step; it makes all its calls to the device before it returns. */
  step(): void | Promise<void>;
  /** Returns what is wrong with the results of the first step, or null. Called once, after it. */
  verify(): Promise<string | null>;
  dispose(): void;
}

export interface StepCase {
  bench: string;
  shape: string;
  kernel: string;
  flops: number;
  prepare(gpu: Gpu): Promise<PreparedStep>;
}

/** Makes a case of whole steps. */
export function stepCase(spec: StepCase): Case {
  const { bench, shape } = spec;
  return { bench, shape, measure: (session) => measure(spec, session) };
}

/** Measures on a Gpu of its own, so that only this step's memory is counted. */
async function measure({ bench, shape, kernel, flops, prepare }: StepCase, session: Session): Promise<Row> {
  const { options } = session.gpu;
  const gpu = await createGpu(options);
  const memory = watchMemory(gpu.native);
  let prepared: PreparedStep | undefined;
  try {
    const { half, matrix } = gemmSettings.of(session.gpu);
    if (half) await setFloat32MatmulPrecision(gpu, 'medium');
    if (matrix) await useSubgroupMatrices(gpu);
    const begin = performance.now();
    prepared = await prepare(gpu);
    await prepared.step();
    await gpu.idle();
    const firstMs = performance.now() - begin;
    const head = { bench, shape, peer: 'padagrad', kernel };
    // Read before `verify`, which allocates too.
    const gpuBytes = memory.peak();
    const problem = await prepared.verify();
    if (problem) return failedRow(head, problem);
    const { step } = prepared;
    const run = (steps: number) => wall(gpu, step, steps);
    const measured = times(await samplesOf(run, session));
    const coldMs = 1e3 * (await session.cold(() => run(1)));
    const seconds = measured.medianMs / 1e3;
    const { dispatches, submits, bindGroups, buffers, writeBuffers } = await count(gpu, step);
    return {
      ...head,
      ...measured,
      coldMs,
      gflops: flops / seconds / 1e9,
      gbps: null,
      percentOfPeak: percentOfPeak({ flops, bytes: 0, seconds }, session.peaks),
      verified: true,
      ...{ dispatches, submits, bindGroups, buffers, writeBuffers, gpuBytes, firstMs },
    };
  } finally {
    prepared?.dispose();
    memory.stop();
    gpu.dispose();
  }
}

type Step = PreparedStep['step'];

/** Returns the seconds per step of `steps` steps. */
async function wall(gpu: Gpu, step: Step, steps: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < steps; i++) await step();
  await gpu.idle();
  return (performance.now() - begin) / 1e3 / steps;
}

/** Returns the seconds per step of each sample. */
async function samplesOf(run: (steps: number) => Promise<number>, session: Session): Promise<number[]> {
  const { seconds, samples } = session.options;
  await run(2);
  const once = await run(1);
  const steps = Math.max(1, Math.ceil(seconds / samples / once));
  return session.samples(once, () => run(steps));
}

async function count(gpu: Gpu, step: Step) {
  let done: void | Promise<void>;
  const counts = countCalls(gpu.native, () => {
    done = step();
  });
  await done!;
  return counts;
}
