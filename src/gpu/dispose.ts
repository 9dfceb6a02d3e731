/// <reference lib="esnext.disposable" preserve="true" />

/** `Symbol.dispose`, for `using`; older engines lack it, and compilers that lower `using` agree on this one. */
export const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
