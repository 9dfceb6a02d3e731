import { isObject } from '../checks/options.ts';

/** Yields the parts in a value, also in arrays, Maps, Sets and plain objects. Their keys make up the name: `blocks.0`. */
export function* partsIn<Part>(
  value: unknown,
  name: string,
  isPart: (value: unknown) => value is Part,
  around: readonly unknown[] = [],
): Generator<[name: string, part: Part]> {
  if (isPart(value)) yield [name, value];
  else if (!around.includes(value))
    for (const [key, inner] of entriesOf(value))
      if (isObject(inner)) yield* partsIn(inner, join(name, String(key)), isPart, [...around, value]);
}

function entriesOf(value: unknown): Iterable<[unknown, unknown]> {
  if (Array.isArray(value) || value instanceof Map) return value.entries();
  if (value instanceof Set) return [...value].entries();
  if (typeof value !== 'object' || value === null) return [];
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype ? Object.entries(value) : [];
}

/** Returns the name of a part below `prefix`. */
export const join = (prefix: string, name: string): string => (prefix ? `${prefix}.${name}` : name);
