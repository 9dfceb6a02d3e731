// Drawing may take this much of a frame; the rest follows in the next frame.
const BUDGET_MS = 6;

/** Draws a list of views, a few per frame, and all of them again if something changed meanwhile. */
export class Frames {
  private left: (() => void)[] = [];
  private scheduled = false;
  private again = false;

  constructor(private readonly draws: readonly (() => void)[]) {}

  changed(): void {
    this.again = true;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.frame());
  }

  private frame(): void {
    this.scheduled = false;
    if (this.left.length === 0 && this.again) {
      this.again = false;
      this.left = [...this.draws];
    }
    const end = performance.now() + BUDGET_MS;
    do this.left.shift()?.();
    while (this.left.length > 0 && performance.now() < end);
    if (this.left.length > 0 || this.again) this.schedule();
  }
}
