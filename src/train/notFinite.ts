/** Thrown if a loss, a gradient or a parameter became NaN or infinite. */
export class NotFiniteError extends Error {
  override name = 'NotFiniteError';
  constructor(
    /** Counts from 0. */
    readonly iteration: number,
    /** The first value that was not finite: `class loss`, `gradient of head.weight` or `head.weight`; with `detectAnomaly` the op. */
    readonly what: string,
    /** With `detectAnomaly`: an `AnomalyError` with the op's call, unless the optimiser's step gave the value. */
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
