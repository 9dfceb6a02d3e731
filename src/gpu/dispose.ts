/// <reference lib="esnext.disposable" preserve="true" />

const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/**
 * What owns GPU memory: `dispose()` it, or declare it with `using` (older engines lack the symbol, and compilers that lower
 * `using` agree on this one). A class that is written so itself is one that bundlers cannot leave out.
 */
export abstract class Disposable {
  abstract dispose(): void;

  [disposeSymbol](): void {
    this.dispose();
  }
}
