/** Messages in the order in which they came, to wait for. */
export class Inbox<T> {
  private readonly messages: T[] = [];
  private wake: () => void = () => {};

  put(message: T): void {
    this.messages.push(message);
    this.wake();
  }

  /** The next message, if there is one. */
  take(): T | undefined {
    return this.messages.shift();
  }

  /** True where a message like this one is waiting. */
  some(test: (message: T) => boolean): boolean {
    return this.messages.some(test);
  }

  /** Resolves when a message is there, or after some milliseconds; never before messages could come in. */
  wait(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined && this.messages.length === 0 ? undefined : setTimeout(resolve, ms ?? 0);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
