/** Adds up the time between start and stop. */
export class Stopwatch {
  private total = 0;
  private since: number | undefined;

  start(): void {
    this.since ??= performance.now();
  }

  stop(): void {
    if (this.since !== undefined) this.total += performance.now() - this.since;
    this.since = undefined;
  }

  get isRunning(): boolean {
    return this.since !== undefined;
  }

  get seconds(): number {
    return this.total / 1000;
  }
}
