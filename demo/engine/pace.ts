// Long enough to keep the GPU busy while the host looks after its post, short enough that a pause is at once and a page that
// the same GPU draws does not stutter.
const SLICE_MS = 30;
const MOST_STEPS = 64;
// How much of a new measurement is taken over.
const FRESH = 0.2;

/** How many iterations fit into one slice of work, by how long the last ones took. */
export class Pace {
  private next = 1;
  private mean: number | undefined;

  /** @param roundTripMs what it takes to wait for a GPU that has nothing to do: in Firefox a tenth of a second */
  constructor(private readonly roundTripMs: number) {}

  /** Iterations of the next slice. */
  get steps(): number {
    return this.next;
  }

  /** Milliseconds an iteration, of late. */
  get msPerStep(): number {
    return this.mean ?? 0;
  }

  /** A slice took so long. */
  measured(steps: number, ms: number): void {
    const each = Math.max(ms - this.roundTripMs, 0.05) / steps;
    this.mean = this.mean === undefined ? each : (1 - FRESH) * this.mean + FRESH * each;
    this.next = Math.max(1, Math.min(2 * this.next, Math.floor(SLICE_MS / each), MOST_STEPS));
  }
}
