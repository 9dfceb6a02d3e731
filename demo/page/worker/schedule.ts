// When the worker does what: how many iterations it trains before it reads its messages again, and when it evaluates.

// Long enough to keep the GPU busy, short enough that a pause takes effect at once and a page drawn by the same GPU does not stutter.
const SLICE_MS = 30;
const MOST_STEPS = 64;
// The median of this many slices counts, because slices that also compute class weights take much longer.
const WINDOW = 15;

/** Chooses how many iterations fit into one slice of work, from the time that the latest ones took. */
export class SliceLength {
  private next = 1;
  private readonly latest: number[] = [];

  /** @param roundTripMs time to wait for an idle GPU; in Firefox a tenth of a second */
  constructor(private readonly roundTripMs: number) {}

  /** Iterations of the next slice. */
  get steps(): number {
    return this.next;
  }

  /** Median milliseconds per iteration of the latest slices. */
  get msPerStep(): number {
    return [...this.latest].sort((a, b) => a - b)[this.latest.length >> 1] ?? 0;
  }

  /** Notes how long a slice took. */
  measured(steps: number, ms: number): void {
    const perStep = Math.max(ms - this.roundTripMs, 0.05) / steps;
    if (this.latest.push(perStep) > WINDOW) this.latest.shift();
    this.next = Math.max(1, Math.min(2 * this.next, Math.floor(SLICE_MS / perStep), MOST_STEPS));
  }
}

// The shortest time between two snapshots, which also is at least this multiple of the time that a snapshot takes.
const LEAST_MS = 600;
const REST = 5;
const FIRST_ITERATION = 10;
// After a pause or a single step, visitors wait this long for a snapshot.
const PATIENCE_MS = 1000;

/** Decides when to take a snapshot. On a slow adapter one takes as long as several iterations. */
export class SnapshotSchedule {
  private cost = 0;
  private ended = Number.NEGATIVE_INFINITY;
  private latest = -1;

  /** Returns whether to take a snapshot while training continues. */
  dueInTraining(iteration: number, now: number): boolean {
    if (iteration === this.latest || iteration < FIRST_ITERATION) return false;
    return now - this.ended >= Math.max(LEAST_MS, REST * this.cost);
  }

  /** Returns whether to take a snapshot when training has stopped. */
  dueAtRest(iteration: number): boolean {
    return iteration !== this.latest && iteration > 0 && this.cost <= PATIENCE_MS;
  }

  /** Notes a snapshot that took from `start` to `end`, in milliseconds. */
  taken(iteration: number, start: number, end: number): void {
    this.latest = iteration;
    // The first snapshot also compiles kernels.
    this.cost = this.ended < 0 ? 0 : end - start;
    this.ended = end;
  }

  /** Makes a snapshot of the same iteration due again. */
  invalidate(): void {
    this.latest = -1;
  }
}
