/** A queue of messages, with a way to wait for the next one. */
export class Inbox<T> {
  private readonly messages: T[] = [];
  private wake: () => void = () => {};

  put(message: T): void {
    this.messages.push(message);
    this.wake();
  }

  /** Removes and returns the next message, if there is one. */
  take(): T | undefined {
    return this.messages.shift();
  }

  /** Returns whether a waiting message passes the test. */
  some(test: (message: T) => boolean): boolean {
    return this.messages.some(test);
  }

  /** Resolves when there is a message, or after `ms`. It always lets the browser deliver messages first. */
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
