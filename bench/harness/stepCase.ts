import { countCalls, watchMemory } from '../../src/debug/deviceCalls.ts';
import { percentOfPeak } from '../../src/debug/profile.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { setFloat32MatmulPrecision } from '../../src/gemm/precision.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Case } from './case.ts';
import { failedRow, type Row } from './row.ts';
import type { Session } from './session.ts';
import { times } from './statistics.ts';

/** A whole step, ready to be done again and again. */
export interface PreparedStep {
  /** Records one step; all that it asks of the device it asks before it returns. */
  step(): void | Promise<void>;
  /** What is wrong with the first step's results, if anything; called once, after it. */
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

/** A case of whole steps, timed by the wall clock as their users do: with the host's share. */
export function stepCase(spec: StepCase): Case {
  const { bench, shape } = spec;
  return { bench, shape, measure: (session) => measure(spec, session) };
}

/** On a Gpu of its own, so that the memory counted is that of this step alone. */
async function measure({ bench, shape, kernel, flops, prepare }: StepCase, session: Session): Promise<Row> {
  const { options } = session.gpu;
  const gpu = await createGpu(options);
  const memory = watchMemory(gpu.native);
  let prepared: PreparedStep | undefined;
  try {
    if (gemmSettings.of(session.gpu).half) await setFloat32MatmulPrecision(gpu, 'medium');
    const begin = performance.now();
    prepared = await prepare(gpu);
    await prepared.step();
    await gpu.idle();
    const firstMs = performance.now() - begin;
    const head = { bench, shape, peer: 'padagrad', kernel };
    // What only verifies is no part of the step.
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

/** Seconds of one step among so many. */
async function wall(gpu: Gpu, step: Step, steps: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < steps; i++) await step();
  await gpu.idle();
  return (performance.now() - begin) / 1e3 / steps;
}

/** Seconds of one step, sample by sample. */
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
