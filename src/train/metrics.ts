import source from '../../shaders/metrics.wgsl';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { Scalar } from '../gpu/scalar.ts';
import { empty, type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';
import type { IterationMetrics } from './events.ts';
import type { Losses } from './methods/method.ts';

const kernel = /* @__PURE__ */ defineKernel('metrics', source, ['store']);

// One readback returns at most this many iterations.
const RING = 1024;

/** Keeps the metrics of the last iterations on the GPU, so that training rarely reads back. */
export class MetricsRing {
  private readonly ring: Tensor;
  /** Stored if a method has no transfer loss, or no domain accuracy. */
  private readonly none: Tensor;
  private readonly unknown: Tensor;
  private readonly at = new Scalar(0);
  private read = 0;

  constructor(gpu: Gpu) {
    this.ring = keep(empty(gpu, [4 * RING], 'f32', 'metrics'));
    this.none = keep(tensor(gpu, [0], undefined, 'none'));
    this.unknown = keep(tensor(gpu, [Number.NaN], undefined, 'unknown'));
  }

  /** Resumes at an iteration: earlier iterations count as read. */
  restart(iteration: number): void {
    this.read = iteration;
  }

  /** Sets the iteration of the next `store()`, also in a captured step. */
  advance(iteration: number): void {
    this.at.value = iteration;
  }

  /** Stores the metrics of the current iteration. */
  store({ classLoss, transferLoss = this.none, classAccuracy, domainAccuracy = this.unknown }: Losses): void {
    kernel.store(
      { classLoss, transferLoss, classAccuracy, domainAccuracy, ring: this.ring },
      { iteration: this.at, length: RING },
      1,
    );
  }

  /** Reads the iterations before `end` that were not read yet, at most the last 1,024. */
  async since(end: number): Promise<IterationMetrics[]> {
    const first = Math.max(this.read, end - RING);
    if (first >= end) return [];
    this.read = end;
    const ring = await this.ring.read();
    return Array.from({ length: end - first }, (_, i) => {
      const iteration = first + i;
      const [classLoss, transferLoss, classAccuracy, domainAccuracy] = ring.subarray(
        4 * (iteration % RING),
        4 * (iteration % RING) + 4,
      );
      return {
        iteration,
        classLoss: classLoss!,
        transferLoss: transferLoss!,
        classAccuracy: classAccuracy!,
        domainAccuracy: domainAccuracy!,
      };
    });
  }

  dispose(): void {
    for (const x of [this.ring, this.none, this.unknown]) x.dispose();
  }
}
