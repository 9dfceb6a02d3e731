/// <reference lib="esnext.disposable" preserve="true" />

const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/**
 * Base class of everything that owns GPU memory: call `dispose()`, or declare it with `using`. Older engines lack
 * `Symbol.dispose`; compilers that lower `using` then agree on the symbol here. It is a base class because bundlers cannot drop
 * a class with a computed method name.
 */
export abstract class Disposable {
  abstract dispose(): void;

  [disposeSymbol](): void {
    this.dispose();
  }
}
