// So much of a frame may go into drawing; what does not fit comes in the next one.
const BUDGET_MS = 6;

/** Does pieces of work one after the other, a few each frame, and all of them again whenever something changed meanwhile. */
export class Frames {
  private left: (() => void)[] = [];
  private asked = false;
  private again = false;

  constructor(private readonly pieces: readonly (() => void)[]) {}

  changed(): void {
    this.again = true;
    this.ask();
  }

  private ask(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => this.frame());
  }

  private frame(): void {
    this.asked = false;
    if (this.left.length === 0 && this.again) {
      this.again = false;
      this.left = [...this.pieces];
    }
    const end = performance.now() + BUDGET_MS;
    do this.left.shift()?.();
    while (this.left.length > 0 && performance.now() < end);
    if (this.left.length > 0 || this.again) this.ask();
  }
}
