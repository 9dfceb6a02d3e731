// At least so long from one picture to the next, and at most one part in so many of the time for pictures.
const LEAST_MS = 600;
const SHARE = 5;
// The first ones come when there is something to see.
const FIRST_ITERATION = 10;
// More than anybody waits for after a pause or a single step.
const PATIENCE_MS = 1000;

/** Decides when the networks are put to the test images: on a slow adapter that takes as long as several iterations. */
export class Lookout {
  private cost = 0;
  private ended = Number.NEGATIVE_INFINITY;
  private seen = -1;

  /** Whether to look in the midst of training. */
  due(iteration: number, now: number): boolean {
    if (iteration === this.seen || iteration < FIRST_ITERATION) return false;
    return now - this.ended >= Math.max(LEAST_MS, SHARE * this.cost);
  }

  /** Whether to look where training stands still. */
  wanted(iteration: number): boolean {
    return iteration !== this.seen && iteration > 0 && this.cost <= PATIENCE_MS;
  }

  looked(iteration: number, from: number, to: number): void {
    this.seen = iteration;
    // The first look compiles kernels.
    this.cost = this.ended < 0 ? 0 : to - from;
    this.ended = to;
  }

  /** What was seen is not so any more. */
  forget(): void {
    this.seen = -1;
  }
}
