/** Sizes of a tensor, outermost first; `[]` is a single number. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** `[2,3]`: how messages write a shape. */
export const showShape = (shape: Shape): string => `[${shape}]`;

/** Throws unless every size is a whole number >= 0. */
export function checkShape(who: string, shape: Shape): void {
  if (Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return;
  throw new TypeError(`${who}: shape ${showShape(shape)} is not one; every size must be a whole number >= 0`);
}

/** All sizes but the last as rows, the last as columns: how softmax and its kin see a tensor. */
export function rowsAndCols(who: string, shape: Shape): [rows: number, cols: number] {
  const cols = shape.at(-1);
  if (cols === undefined) throw new TypeError(`${who}: x is a single number; it must have at least one dimension`);
  return [cols === 0 ? 0 : sizeOf(shape) / cols, cols];
}
