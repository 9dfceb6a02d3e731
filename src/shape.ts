import { show } from './checks/options.ts';

/** Sizes of a tensor, outermost first. `[]` is the shape of a single number. */
export type Shape = readonly number[];

/** Returns the number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Returns whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Writes a shape for messages: `[2,3]`. */
export const showShape = (shape: Shape): string => `[${shape}]`;

/** Throws `TypeError` unless `shape` is an array of whole numbers >= 0. */
export function checkShape(who: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new TypeError(`${who}: shape must be an array of sizes, such as [2, 3], but is ${show(shape)}`);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new TypeError(`${who}: shape is ${showShape(shape)}; every size must be a whole number >= 0`);
}
