// State dicts in the form of PyTorch: names and host arrays. `checkState` compares a state with the places it is loaded into
// and reports all differences at once, before anything is changed.
import { overflowsF32 } from '../gpu/scalar.ts';
import type { Shape } from '../shape.ts';
import { sameShape, showShape, sizeOf } from '../shape.ts';

/** The content of a tensor on the host. The type of its array is its element type. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array | Float64Array | Uint32Array | BigInt64Array;
}

/** Tensors by name, in order: the state of a module or an optimiser, or the content of a safetensors file. */
export type StateDict = Map<string, HostTensor>;

/** A thing with a state: a module, an optimiser, a sampler, class weights. */
export interface Stateful {
  stateDict(): StateDict | Promise<StateDict>;
  loadStateDict(state: StateDict): void;
}

/** Names that differ between a state and what loads it (PyTorch's `missing_keys` and `unexpected_keys`). */
export interface LoadResult {
  /** Names that the state lacks. Their parts keep their values. */
  missingKeys: string[];
  /** Names in the state that nothing here has. */
  unexpectedKeys: string[];
}

/** @internal What an entry of a state must be: floats, one count, or 32-bit words. */
export interface StatePlace {
  readonly shape: Shape;
  readonly kind: 'float' | 'count' | 'word';
  /** Whether a state may lack it. */
  readonly optional?: boolean;
}

/**
 * @internal
 * Compares a state with the places that it is loaded into. Returns the names that are missing, except optional ones, and
 * unexpected. Throws one `TypeError` that lists every difference; without `strict`, names may be missing on either side, but not all.
 */
export function checkState(
  who: string,
  places: ReadonlyMap<string, StatePlace>,
  state: ReadonlyMap<string, HostTensor>,
  strict = true,
): LoadResult {
  if (!(state instanceof Map))
    throw new TypeError(
      `loadStateDict: ${who} needs a Map, as \`await stateDict()\` and \`decodeSafetensors().tensors\` are`,
    );
  const missingKeys = [...places].flatMap(([name, { optional }]) => (optional || state.has(name) ? [] : [name]));
  const unexpectedKeys = [...state.keys()].filter((name) => !places.has(name));
  const misfits: string[] = [];
  for (const [name, place] of places) {
    const given = state.get(name);
    const fault = given && misfit(place, given);
    if (fault) misfits.push(`${name} (${fault})`);
  }
  const faults: string[] = [];
  const list = (title: string, names: string[]) => names.length > 0 && faults.push(`${title} ${names.join(', ')}`);
  if (strict || unexpectedKeys.length === state.size) {
    list('missing', missingKeys);
    list('not expected', unexpectedKeys);
  }
  list('misshapen', misfits);
  if (faults.length > 0) throw new TypeError(`loadStateDict: the state does not fit ${who}: ${faults.join('; ')}`);
  return { missingKeys, unexpectedKeys };
}

function misfit({ shape, kind }: StatePlace, { shape: given, data }: HostTensor): string | undefined {
  if (!Array.isArray(given) || !ArrayBuffer.isView(data)) return 'expected { shape, data }';
  if (data.length !== sizeOf(given)) return `${showShape(given)} with ${data.length} elements`;
  if (!sameShape(given, shape)) return `${showShape(given)}, expected ${showShape(shape)}`;
  const float = data instanceof Float32Array || data instanceof Float64Array;
  if (kind === 'float') {
    if (!float) return `${data.constructor.name}, expected floats`;
    const large = (data as Float64Array).find((x) => overflowsF32(x));
    return large === undefined ? undefined : `${large}, beyond the largest f32`;
  }
  if (kind === 'word')
    return data instanceof Uint32Array ? undefined : `${data.constructor.name}, expected Uint32Array`;
  if (float) return `${data.constructor.name}, expected a count`;
  return data[0]! >= 0 && data[0]! <= 0xffffffff ? undefined : `${data[0]}, expected a count below 2^32`;
}

/** @internal Returns a count as PyTorch stores it. */
export const hostCount = (value: number): HostTensor => ({ shape: [], data: BigInt64Array.of(BigInt(value)) });
