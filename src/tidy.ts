// Frees tensors by scope. Tensors register in the innermost scope when they are made; when the scope ends, those that are not
// returned or kept are disposed.
import { show } from './checks/options.ts';

/** What `tidy` frees: tensors. */
export interface Scoped {
  /** Frees the memory. */
  dispose(): void;
  /** @internal Gives up what `dispose` would free but `tidy` returns to its caller: a tensor's gradient. Returns it. */
  partWith?(returned: ReadonlySet<object>): Scoped | undefined;
}

// The tensors made in each `tidy` that is running, the innermost last.
const scopes: Set<Scoped>[] = [];

/** @internal Adds a new tensor to the innermost scope. */
export function track(tensor: Scoped): void {
  scopes.at(-1)?.add(tensor);
}

/** Takes a tensor out of every surrounding `tidy`: it lives until its own `dispose()`. Returns the tensor. */
export function keep<T extends Scoped>(tensor: T): T {
  for (const scope of scopes) scope.delete(tensor);
  return tensor;
}

/** @internal Returns whether a tensor was made in the innermost `tidy`. */
export const isTracked = (tensor: Scoped): boolean => scopes.at(-1)?.has(tensor) === true;

/** Any result but a promise. */
export type Sync<T> = T extends PromiseLike<unknown> ? never : T;

/** @internal Throws `TypeError` unless `fn` is a function. */
export function refuseUncallable(who: string, fn: unknown, call = `${who}(() => ...)`): void {
  if (typeof fn !== 'function') throw new TypeError(`${who}: expected a function but got ${show(fn)}; call ${call}`);
}

/** @internal Throws if a function that must be synchronous returned a promise: `cause` if given, else `TypeError`. */
export function refusePromise(who: string, result: unknown, cause?: Error): void {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return;
  // If the promise is rejected too, the caller still sees only this error.
  Promise.resolve(result).catch(() => {});
  throw (
    cause ?? new TypeError(`${who}: the function returned a promise; make it synchronous, and await before or after it`)
  );
}

/**
 * Runs `fn` and disposes every tensor made in it, also if it throws. Returns the result of `fn`. These tensors survive: those in
 * the result (by themselves, or in arrays and plain objects), and those that were kept, such as parameters, their gradients and
 * optimiser state. `fn` must be synchronous.
 */
export function tidy<T>(fn: () => Sync<T>): T {
  refuseUncallable('tidy', fn);
  const scope = new Set<Scoped>();
  scopes.push(scope);
  try {
    const result = fn();
    refusePromise('tidy', result);
    const returned = new Set(objectsIn(result));
    const outer = scopes.at(-2);
    for (const tensor of scope) {
      const kept = returned.has(tensor) ? tensor : tensor.partWith?.(returned);
      if (!kept) continue;
      scope.delete(kept);
      outer?.add(kept);
    }
    return result;
  } finally {
    scopes.pop();
    for (const tensor of scope) tensor.dispose();
  }
}

/** Returns the objects in a value: itself, or those in an array or a plain object. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain ? Object.values(value).flatMap(objectsIn) : [value];
}
