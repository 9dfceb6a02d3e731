// Times what was verified: with warm caches, and after the caches were filled with other data.
import { type CapturedStep, capture } from '../../src/capture.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Timer } from '../../src/gpu/timer.ts';
import { relu } from '../../src/ops/relu.ts';
import { empty, type Tensor } from '../../src/tensor.ts';

export interface SessionOptions {
  /** Seconds for all samples of a row. */
  seconds: number;
  samples: number;
}

export const FULL: SessionOptions = { seconds: 0.6, samples: 15 };
export const QUICK: SessionOptions = { seconds: 0.1, samples: 5 };

const MIB = 2 ** 20;
// More dispatches in one submit would take long to record.
const MOST_DISPATCHES = 4096;

/** Shared by all rows of a run: the device, its clock, its peaks, and how long to measure. */
export class Session {
  readonly timer: Timer;
  private flush: { step: CapturedStep<Tensor>; buffer: Tensor } | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly peaks: Peaks | null,
    readonly options: SessionOptions,
  ) {
    this.timer = new Timer(gpu.device);
  }

  /** Returns the seconds per run of each sample. A sample has enough runs in one submit for any clock's resolution. */
  async warm(step: CapturedStep<unknown>): Promise<number[]> {
    const { seconds, samples } = this.options;
    const list = step.commands;
    await this.timer.run(list, 1);
    const once = await this.timer.run(list, 1);
    const most = Math.max(1, Math.floor(MOST_DISPATCHES / list.dispatches.length));
    const runs = Math.min(most, Math.max(1, Math.ceil(seconds / samples / Math.max(once, 1e-7))));
    return this.samples(once, async () => (await this.timer.run(list, runs)) / runs);
  }

  /** Takes samples of work that takes `once` seconds: fewer of slow work, but at least 5. */
  async samples(once: number, take: () => Promise<number>): Promise<number[]> {
    const { seconds, samples } = this.options;
    const count = Math.min(samples, Math.max(5, Math.ceil((4 * seconds) / once)));
    const taken: number[] = [];
    for (let i = 0; i < count; i++) taken.push(await take());
    return taken;
  }

  /** Returns the median seconds of three runs, each after the caches were filled with other data. */
  async cold(run: () => Promise<number>): Promise<number> {
    const { gpu } = this;
    if (!this.flush) {
      const bytes = Math.min((gpu.info.software ? 32 : 128) * MIB, gpu.limits.maxStorageBufferBindingSize!);
      const buffer = empty(gpu, [bytes / 4], 'f32', 'flush');
      this.flush = { buffer, step: await capture(gpu, () => relu(buffer)) };
    }
    const taken: number[] = [];
    for (let i = 0; i < 3; i++) {
      this.flush.step.run();
      await gpu.idle();
      taken.push(await run());
    }
    return median(taken);
  }

  dispose(): void {
    for (const thing of [this.flush?.step.result, this.flush?.step, this.flush?.buffer]) thing?.dispose();
  }
}

/** Returns the quantile q of values, interpolated linearly. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Converts seconds to the milliseconds of a row. */
export function times(seconds: readonly number[]): { medianMs: number; p5Ms: number; p95Ms: number } {
  const ms = seconds.map((s) => 1e3 * s);
  return { medianMs: median(ms), p5Ms: quantile(ms, 0.05), p95Ms: quantile(ms, 0.95) };
}
