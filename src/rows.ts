import type { Gpu } from './gpu/gpu.ts';
import { showShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** @internal Constants of a kernel with `rows.wgsl`, and the rows that its workgroup of 64 takes at a time. */
export interface RowSplit {
  constants: { LANES: number };
  rowsAtOnce: number;
}

/**
 * @internal
 * How many lanes share a row. On a GPU neighbours that read neighbours share a line of the cache, so longer rows get more
 * of them. A processor that plays the GPU has its cache to itself, and barriers cost it more than a longer loop.
 */
export function splitRows(gpu: Gpu, cols: number): RowSplit {
  const LANES = gpu.gemmFamily !== 'workgroup' ? 1 : 2 ** Math.min(6, Math.ceil(Math.log2(Math.max(1, cols / 4))));
  return { constants: { LANES }, rowsAtOnce: 64 / LANES };
}

/** @internal Rows and columns of `x`, which must be [n, C] with a column at least. */
export function expectMatrix(who: string, name: string, x: Tensor): [rows: number, cols: number] {
  const [rows, cols] = x.shape;
  if (x.shape.length === 2 && cols! > 0) return [rows!, cols!];
  throw new TypeError(`${who}: ${name} must be [n, C] with C > 0 but is ${showShape(x.shape)}`);
}

/** @internal The temperature of a softmax, which must be a number > 0. */
export function checkTemperature(who: string, temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new RangeError(`${who}: temperature must be a finite number > 0 but is ${temperature}`);
}
