/** The global scope of a dedicated worker. TypeScript's DOM types describe only windows. */
interface WorkerScope<Command, Report> {
  /** The name that the page gave the worker. */
  name: string;
  postMessage(report: Report, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Command>) => void) | null;
}

export const workerScope = <Command, Report>() => globalThis as unknown as WorkerScope<Command, Report>;

/** Throws outside of any promise. Only such an error reaches the page's `worker.onerror`. */
export const rethrow = (error: unknown): void => {
  setTimeout(() => {
    throw error;
  });
};
