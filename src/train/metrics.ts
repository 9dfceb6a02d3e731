import source from '../../shaders/metrics.wgsl';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { Scalar } from '../gpu/scalar.ts';
import { empty, type Tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';
import type { IterationMetrics } from './events.ts';

const kernel = /* @__PURE__ */ defineKernel('metrics', source, ['store']);

// One readback brings this many iterations at most.
const RING = 1024;

/** The metrics of one iteration, on the GPU: single numbers. */
export interface IterationFigures {
  classLoss: Tensor;
  transferLoss: Tensor;
  classAccuracy: Tensor;
  domainAccuracy: Tensor;
}

/** Keeps the metrics of the last iterations on the GPU, so that training reads back seldom. */
export class MetricsRing {
  private readonly ring: Tensor;
  private readonly at = new Scalar(0);
  private read = 0;

  constructor(gpu: Gpu) {
    this.ring = keep(empty(gpu, [4 * RING], 'f32', 'metrics'));
  }

  /** Resumes at an iteration: the iterations before it count as read. */
  restart(iteration: number): void {
    this.read = iteration;
  }

  /** Sets the iteration that the next run of `store()` belongs to. */
  advance(iteration: number): void {
    this.at.value = iteration;
  }

  store(figures: IterationFigures): void {
    const { classLoss, transferLoss, classAccuracy, domainAccuracy } = figures;
    kernel.store(
      { classLoss, transferLoss, classAccuracy, domainAccuracy, ring: this.ring },
      { iteration: this.at, length: RING },
      1,
    );
  }

  /** Reads the iterations before `end` that were not read yet, up to the length of the ring. */
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
    this.ring.dispose();
  }
}
