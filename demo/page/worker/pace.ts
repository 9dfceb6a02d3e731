// Long enough to keep the GPU busy while the host looks after its post, short enough that a pause is at once and a page that
// the same GPU draws does not stutter.
const SLICE_MS = 30;
const MOST_STEPS = 64;
// Of so many slices the one in the middle counts: those that take class weights in passing take much longer.
const WINDOW = 15;

/** How many iterations fit into one slice of work, by how long the last ones took. */
export class Pace {
  private next = 1;
  private readonly last: number[] = [];

  /** @param roundTripMs what it takes to wait for a GPU that has nothing to do: in Firefox a tenth of a second */
  constructor(private readonly roundTripMs: number) {}

  /** Iterations of the next slice. */
  get steps(): number {
    return this.next;
  }

  /** Milliseconds an iteration, of late. */
  get msPerStep(): number {
    return [...this.last].sort((a, b) => a - b)[this.last.length >> 1] ?? 0;
  }

  /** A slice took so long. */
  measured(steps: number, ms: number): void {
    const each = Math.max(ms - this.roundTripMs, 0.05) / steps;
    if (this.last.push(each) > WINDOW) this.last.shift();
    this.next = Math.max(1, Math.min(2 * this.next, Math.floor(SLICE_MS / each), MOST_STEPS));
  }
}
