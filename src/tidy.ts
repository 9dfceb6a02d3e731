import { show } from './checks/options.ts';

/** What `tidy` frees: tensors. */
export interface Scoped {
  dispose(): void;
  /** @internal Gives up what `tidy` returns to its caller and `dispose` would free: a tensor's gradient. Returns that. */
  partWith?(returned: ReadonlySet<object>): Scoped | undefined;
}

const scopes: Set<Scoped>[] = [];

/** Enters a new tensor into the innermost scope. */
export function track(tensor: Scoped): void {
  scopes.at(-1)?.add(tensor);
}

/** Takes tensors out of every `tidy` around: they live until their own `dispose()`. Returns its argument. */
export function keep<T extends Scoped>(tensor: T): T {
  for (const scope of scopes) scope.delete(tensor);
  return tensor;
}

/** @internal Whether a tensor was made in the innermost `tidy`. */
export const isTracked = (tensor: Scoped): boolean => scopes.at(-1)?.has(tensor) === true;

/** Any result but a promise. */
export type Sync<T> = T extends PromiseLike<unknown> ? never : T;

/** @internal Throws if the result of a function that must be synchronous is a promise: `cause`, if there is one. */
export function refusePromise(who: string, result: unknown, cause?: Error): void {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return;
  // The caller sees one error, this one.
  Promise.resolve(result).catch(() => {});
  throw (
    cause ?? new TypeError(`${who}: the function returned a promise; make it synchronous, and await before or after it`)
  );
}

/**
 * Runs `fn` and disposes every tensor made in it, save those it returns (alone, or in arrays and plain objects) and
 * those that were kept: parameters, gradients, optimiser state. Frees on a throw as well. `fn` must be synchronous.
 */
export function tidy<T>(fn: () => Sync<T>): T {
  if (typeof fn !== 'function')
    throw new TypeError(`tidy: expected a function but got ${show(fn)}; call tidy(() => ...)`);
  const scope = new Set<Scoped>();
  scopes.push(scope);
  let result: T | undefined;
  try {
    result = fn();
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

/** The objects in a value: itself, or those in an array or a plain object. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain ? Object.values(value).flatMap(objectsIn) : [value];
}
