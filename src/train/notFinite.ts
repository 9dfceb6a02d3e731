/** Something became NaN or infinite: what came after it would be worth nothing. */
export class NotFiniteError extends Error {
  override name = 'NotFiniteError';
  constructor(
    /** Counts from 0. */
    readonly iteration: number,
    /** What went bad first: `class loss`, `gradient of head.weight`, `head.weight`; the op where ops were looked at. */
    readonly what: string,
    /** How it came, where ops were looked at (`detectAnomaly`): an `AnomalyError`, unless it was the optimiser's step. */
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
