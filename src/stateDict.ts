import type { Shape } from './shape.ts';
import { sameShape, showShape } from './shape.ts';

/** A tensor's content on the host; the type of its array is its element type. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array | Float64Array | Uint32Array | BigInt64Array;
}

/** Tensors by name, in order: the state of a module or an optimiser, and the content of a safetensors file. */
export type StateDict = Map<string, HostTensor>;

/** @internal What a place in a state takes: numbers with a fraction, one count, or 32-bit words. */
export interface StatePlace {
  readonly shape: Shape;
  readonly kind: 'float' | 'count' | 'word';
}

/**
 * @internal
 * Throws one error that names everything by which a state differs from its places. Without `strict`, names may be missing
 * on either side.
 */
export function checkState(
  who: string,
  places: ReadonlyMap<string, StatePlace>,
  state: ReadonlyMap<string, HostTensor>,
  strict = true,
): void {
  if (!(state instanceof Map))
    throw new TypeError(
      `loadStateDict: ${who} wants a Map, as \`await stateDict()\` and \`decodeSafetensors().tensors\` are`,
    );
  const faults: string[] = [];
  const list = (title: string, names: string[]) => names.length > 0 && faults.push(`${title} ${names.join(', ')}`);
  if (strict) {
    list(
      'missing',
      [...places.keys()].filter((name) => !state.has(name)),
    );
    list(
      'not expected',
      [...state.keys()].filter((name) => !places.has(name)),
    );
  }
  const misfits: string[] = [];
  for (const [name, place] of places) {
    const given = state.get(name);
    const fault = given && misfit(place, given);
    if (fault) misfits.push(`${name} (${fault})`);
  }
  list('misshapen', misfits);
  if (faults.length > 0) throw new TypeError(`loadStateDict: the state does not fit ${who}: ${faults.join('; ')}`);
}

function misfit({ shape, kind }: StatePlace, { shape: given, data }: HostTensor): string | undefined {
  if (!sameShape(given, shape)) return `${showShape(given)}, expected ${showShape(shape)}`;
  const float = data instanceof Float32Array || data instanceof Float64Array;
  if (kind === 'float') return float ? undefined : `${data.constructor.name}, expected floats`;
  if (kind === 'word')
    return data instanceof Uint32Array ? undefined : `${data.constructor.name}, expected Uint32Array`;
  if (float) return `${data.constructor.name}, expected a count`;
  return data[0]! >= 0 && data[0]! <= 0xffffffff ? undefined : `${data[0]}, expected a count below 2^32`;
}

/** @internal A count as PyTorch stores it. */
export const hostCount = (value: number): HostTensor => ({ shape: [], data: BigInt64Array.of(BigInt(value)) });
