// How rows and elements are split over the lanes of a workgroup of 64. GPUs and software adapters want opposite splits. On a
// GPU neighbouring lanes that read neighbouring elements share a cache line, so they share long rows. On a CPU each lane has
// the cache to itself, and a barrier costs more than a longer loop, so a lane takes whole rows.
import type { Gpu } from '../../gpu/gpu.ts';
import type { Axis } from './axis.ts';

/** @internal Constants of a kernel with `rows.wgsl`, and the rows that a workgroup of 64 takes at a time. */
export interface RowSplit {
  constants: { LANES: number };
  rowsAtOnce: number;
}

/** @internal Chooses how many lanes share a row of `cols` elements. */
export function splitRows(gpu: Gpu, cols: number): RowSplit {
  const LANES = gpu.kind === 'cpu' ? 1 : 2 ** Math.min(6, Math.ceil(Math.log2(Math.max(1, cols / 4))));
  return { constants: { LANES }, rowsAtOnce: 64 / LANES };
}

/**
 * @internal
 * Chooses how many elements an invocation of an elementwise kernel takes, and returns the number of workgroups of 64. A CPU
 * takes several: starting an invocation costs it more than a few elements do.
 */
export function splitElements(gpu: Gpu, size: number): { constants: { PER: number }; groups: number } {
  const PER = gpu.kind === 'cpu' ? 16 : 1;
  return { constants: { PER }, groups: Math.ceil(size / (64 * PER)) };
}

/** @internal Chooses the lanes along an axis, and the length (`chunk`) that one dispatch reduces to one number. */
export function splitAxis(gpu: Gpu, { n, inner }: Axis): RowSplit & { chunk: number } {
  // Neighbouring lanes read neighbouring elements: along the axis only if it is the innermost.
  const { constants, rowsAtOnce } = splitRows(gpu, inner < 8 ? n : 1);
  const { LANES } = constants;
  return { constants, rowsAtOnce, chunk: Math.max(1, Math.min(n, LANES === 1 ? 256 : 64 * LANES)) };
}
