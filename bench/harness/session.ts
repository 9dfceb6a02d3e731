import { type CapturedStep, capture } from '../../src/capture.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Timer } from '../../src/gpu/timer.ts';
import { relu } from '../../src/ops/relu.ts';
import { empty, type Tensor } from '../../src/tensor.ts';
import { median } from './statistics.ts';

export interface SessionOptions {
  /** Seconds that the samples of one row take together. */
  seconds: number;
  samples: number;
}

export const FULL: SessionOptions = { seconds: 0.6, samples: 15 };
export const QUICK: SessionOptions = { seconds: 0.1, samples: 5 };

const MIB = 2 ** 20;
// More of them in one submit would make its recording long.
const MOST_DISPATCHES = 4096;

/** What all rows of one run share: the device, its clock and peaks, and how long to measure. */
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

  /** Seconds of one run, sample by sample; each sample is so many runs in one submit that no clock is too coarse. */
  async warm(step: CapturedStep<unknown>): Promise<number[]> {
    const { seconds, samples } = this.options;
    const list = step.commands;
    await this.timer.run(list, 1);
    const once = await this.timer.run(list, 1);
    const most = Math.max(1, Math.floor(MOST_DISPATCHES / list.dispatches.length));
    const runs = Math.min(most, Math.max(1, Math.ceil(seconds / samples / Math.max(once, 1e-7))));
    return this.samples(once, async () => (await this.timer.run(list, runs)) / runs);
  }

  /** So many samples of what once took `once` seconds; of something slow a few must do. */
  async samples(once: number, take: () => Promise<number>): Promise<number[]> {
    const { seconds, samples } = this.options;
    const count = Math.min(samples, Math.max(5, Math.ceil((4 * seconds) / once)));
    const taken: number[] = [];
    for (let i = 0; i < count; i++) taken.push(await take());
    return taken;
  }

  /** Seconds that `run` gives after all caches were filled with something else; the median of a few. */
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
