import { NEVER, type Optimizer } from '../optim/optimizer.ts';
import type { Tensor } from '../tensor.ts';

/** A gradient or parameter that became NaN or infinite, and in which iteration. */
export interface NotFinite {
  iteration: number;
  /** Its name: `gradient of backbone.0.weight`, `backbone.0.weight`. */
  what: string;
}

/**
 * Finds the first gradient or parameter of an optimiser that became NaN or infinite. Every update checks them on the GPU; this is
 * the one readback that asks.
 *
 * @param iteration the iteration of the next update
 * @param names the parameters' names in messages
 */
export async function firstNotFinite(
  optimizer: Optimizer,
  iteration: number,
  names: ReadonlyMap<Tensor, string>,
): Promise<NotFinite | undefined> {
  const { updates } = optimizer;
  const since = await optimizer.notFinite();
  const { places, blocks } = optimizer.flat;
  // Within one update, gradients come before parameters, and those of the last layer come first.
  const gradients = [...places].reverse().map((place) => ({ place, from: 0, kind: 'gradient of ' }));
  const parameters = places.map((place) => ({ place, from: blocks, kind: '' }));
  let first = NEVER;
  let what = '';
  for (const { place, from, kind } of [...gradients, ...parameters]) {
    const start = from + place.block;
    const update = since.subarray(start, start + place.blocks).reduce((a, b) => Math.min(a, b), NEVER);
    if (update >= first) continue;
    const { parameter } = place;
    first = update;
    what = kind + (names.get(parameter) ?? parameter.label);
  }
  return first === NEVER ? undefined : { iteration: iteration - (updates - first), what };
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
