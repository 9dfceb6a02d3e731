import source from '../../shaders/finiteWatch.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { Scalar } from '../gpu/scalar.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';

const kernel = /* @__PURE__ */ defineKernel('finiteWatch', source, ['look']);
const NEVER = 0xffffffff;

/** A gradient or parameter that became NaN or infinite, and in which iteration. */
export interface NotFinite {
  iteration: number;
  /** Its name: `gradient of backbone.0.weight`, `backbone.0.weight`. */
  what: string;
}

/**
 * Checks an optimiser's parameters and their gradients for NaN and infinities at every step, on the GPU, in one dispatch for
 * all. The host reads the result only now and then.
 */
export class FiniteWatch {
  private readonly iteration = new Scalar(0);
  private readonly since: Tensor;

  /** @param names the parameters' names in messages */
  constructor(
    private readonly optimizer: Optimizer,
    private readonly names: ReadonlyMap<Tensor, string>,
  ) {
    const { gpu, blocks } = optimizer.flat;
    this.since = keep(tensor(gpu, new Uint32Array(2 * blocks).fill(NEVER), [2, blocks], 'not finite since'));
  }

  /** Sets the iteration of the next `look()`, also in a captured step. */
  advance(iteration: number): void {
    this.iteration.value = iteration;
  }

  /** Checks the gradients, and the parameters after the optimiser's step. */
  look(): void {
    const { blocks, gradients: gradient, values } = this.optimizer.flat;
    const { iteration, since } = this;
    kernel.look({ gradient, parameter: values, since }, { blocks, iteration }, Math.ceil(blocks / 4));
  }

  /** Returns the first gradient or parameter that is not finite; undefined if all are finite. One readback. */
  async first(): Promise<NotFinite | undefined> {
    const since = await this.since.readU32();
    const { places, blocks } = this.optimizer.flat;
    // Within one iteration, gradients come before parameters, and those of the last layer come first.
    const gradients = [...places].reverse().map((place) => ({ place, from: 0, kind: 'gradient of ' }));
    const parameters = places.map((place) => ({ place, from: blocks, kind: '' }));
    let first: NotFinite | undefined;
    for (const { place, from, kind } of [...gradients, ...parameters]) {
      const start = from + place.block;
      const iteration = since.subarray(start, start + place.blocks).reduce((a, b) => Math.min(a, b), NEVER);
      if (iteration >= (first?.iteration ?? NEVER)) continue;
      const { parameter } = place;
      first = { iteration, what: kind + (this.names.get(parameter) ?? parameter.label) };
    }
    return first;
  }

  /** Forgets all earlier iterations. */
  reset(): void {
    write(this.since, new Uint32Array(this.since.size).fill(NEVER));
  }

  dispose(): void {
    this.since.dispose();
  }
}

/** Thrown by a training run if a loss, a gradient or a parameter became NaN or infinite. */
export class NotFiniteError extends Error {
  override name = 'NotFiniteError';
  constructor(
    /** Counts from 0. */
    readonly iteration: number,
    /** The first value that was not finite: `class loss`, `gradient of head.weight` or `head.weight`; with `detectAnomaly` the op's name. */
    readonly what: string,
    /** With `detectAnomaly`: an `AnomalyError` with the op's call, unless the optimiser's step made the value. */
    cause?: Error,
  ) {
    super(
      cause
        ? `training: in iteration ${iteration}, ${cause.message}`
        : `training: ${what} became NaN or infinite in iteration ${iteration}; try a lower learning rate, or detectAnomaly to find the op`,
      cause && { cause },
    );
  }
}
