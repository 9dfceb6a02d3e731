import { show } from './checks/options.ts';
import type { Tensor } from './tensor.ts';

const scopes: Set<Tensor>[] = [];

/** Enters a new tensor into the innermost scope. */
export function track(tensor: Tensor): void {
  scopes.at(-1)?.add(tensor);
}

/** Takes tensors out of every `tidy` around: they live until their own `dispose()`. Returns its argument. */
export function keep<T extends Tensor>(tensor: T): T {
  for (const scope of scopes) scope.delete(tensor);
  return tensor;
}

/** @internal Whether a tensor was made in the innermost `tidy`. */
export const isTracked = (tensor: Tensor): boolean => scopes.at(-1)?.has(tensor) === true;

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
  const scope = new Set<Tensor>();
  scopes.push(scope);
  let result: T | undefined;
  try {
    result = fn();
    refusePromise('tidy', result);
    const returned = new Set(objectsIn(result));
    for (const tensor of scope) {
      if (!returned.has(tensor)) {
        // A gradient is kept by its tensor, and goes with it. One that is returned does not.
        const { gradient } = tensor;
        if (!gradient || gradient === tensor.gradSlot || !returned.has(gradient)) continue;
        tensor.gradient = null;
        scopes.at(-2)?.add(gradient);
        continue;
      }
      scope.delete(tensor);
      scopes.at(-2)?.add(tensor);
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
