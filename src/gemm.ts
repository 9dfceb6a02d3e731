import partial from '../shaders/gemm.partial.wgsl';
import plain from '../shaders/gemm.plain.wgsl';
import reduce from '../shaders/gemm.reduce.wgsl';
import subgroup from '../shaders/gemm.subgroup.wgsl';
import workgroup from '../shaders/gemm.workgroup.wgsl';
import type { GemmFamily } from './gpu/device.ts';
import type { Gpu } from './gpu/gpu.ts';
import { defineKernel, type Launch, type Params } from './gpu/kernel.ts';
import type { Binding } from './gpu/storage.ts';
import { empty } from './tensor.ts';

/** What one file of a product, its operands or its store, is given: tensors by the names of its variables, and its overrides. */
export interface GemmPart {
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly constants?: Readonly<Record<string, number>>;
}

/** Sizes of a product and what else the operands' `Params` hold; `depth` is added here. */
export interface GemmParams extends Params {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Records a matrix product: one dispatch, or two where its depth is cut into slices. */
export type Gemm = (operands: GemmPart, store: GemmPart, params: GemmParams) => void;

/** How a product is computed: by which core, in tiles of how many rows, in how many slices of its depth. */
export interface GemmVariant {
  readonly family: GemmFamily;
  readonly tile: number;
  readonly slices: number;
}

const cores: Record<GemmFamily, string> = { subgroup, workgroup, plain };

/**
 * Declares a matrix product out of the WGSL of its operands (`Params`, `rowsOf`, `colsOf`, `depthsOf`, `skip`, `loadA`,
 * `loadB`) and of its `store`; `shaders/gemm.subgroup.wgsl` says what these mean. Each is joined with the core that suits the device.
 *
 * ```ts
 * const product = defineGemm('matmul', operands, store);
 * product({ bindings: { a, b, mask: a } }, { bindings: { y } }, { m, n, k });
 * ```
 */
export function defineGemm(name: string, operands: string | readonly string[], store: string): Gemm {
  const shared = [operands].flat();
  const define = (last: string, core: string) => defineKernel(name, [...shared, last, core], ['product']).product;
  const families = (Object.keys(cores) as GemmFamily[]).map(
    (family): [GemmFamily, { whole: Launch; slice: Launch }] => [
      family,
      { whole: define(store, cores[family]), slice: define(partial, cores[family]) },
    ],
  );
  const launches = Object.fromEntries(families) as Record<GemmFamily, { whole: Launch; slice: Launch }>;
  const sum = defineKernel(name, [...shared, store, reduce], ['reduce']).reduce;

  return (from, to, params) => {
    const { gpu } = Object.values(from.bindings)[0]!.storage;
    const { m, n, k } = params;
    const { family, tile, slices } = chooseVariant(gpu, m, n, k);
    const depth = STEP * Math.ceil(k / slices / STEP);
    const all = { ...params, depth };
    const tiles = Math.ceil(m / tile) * Math.ceil(n / columnsOf(family, tile));
    const constants = { ...from.constants, ...tileConstants(family, tile) };
    const { whole, slice } = launches[family];
    if (slices === 1) {
      whole({ ...from.bindings, ...to.bindings }, all, tiles, { ...constants, ...to.constants });
      return;
    }
    const sums = empty(gpu, [slices * m, 4 * Math.ceil(n / 4)], 'f32', 'partial');
    slice({ ...from.bindings, partial: sums }, all, [tiles, 1, slices], constants);
    sum({ ...to.bindings, partial: sums }, all, Math.ceil((m * Math.ceil(n / 4)) / 64), to.constants);
    sums.dispose();
  };
}

// Depths that a workgroup's tile holds: slices begin at multiples of it.
const STEP = 16;

const columnsOf = (family: GemmFamily, tile: number): number =>
  family === 'workgroup' ? tile : family === 'subgroup' ? 32 : 16;

function tileConstants(family: GemmFamily, tile: number): Record<string, number> {
  if (family === 'workgroup') return { TILE: tile, THREADS: (tile * tile) / 64 };
  return family === 'subgroup' ? { ROWS: tile } : {};
}

/** The variant for a product of these sizes: decided by them and the device alone, so that the same run gives the same bits. */
export function chooseVariant(gpu: Gpu, m: number, n: number, k: number): GemmVariant {
  // The subgroup core shares rows among 8 lanes.
  const family = gpu.gemmFamily === 'subgroup' && gpu.subgroupSize < 8 ? 'plain' : gpu.gemmFamily;
  const tile = tileOf(gpu, family, m, n);
  const tiles = Math.ceil(m / tile) * Math.ceil(n / columnsOf(family, tile));
  // Few tiles of many depths leave most of the device idle: a GPU wants a hundred workgroups, a CPU some for each core.
  const [wanted, least] = family === 'workgroup' ? [128, 64] : [4, 512];
  const most = Math.max(1, Math.min(Math.ceil(wanted / tiles), Math.floor(k / least)));
  const depth = STEP * Math.ceil(k / most / STEP);
  return { family, tile, slices: depth > 0 ? Math.ceil(k / depth) : 1 };
}

function tileOf(gpu: Gpu, family: GemmFamily, m: number, n: number): number {
  if (family === 'plain') return 32;
  if (family === 'subgroup') return m % 32 > 0 && m % 32 <= 16 && m < 256 ? 16 : 32;
  const large = Math.ceil(m / 128) * Math.ceil(n / 128) >= 64 && gpu.limits.maxComputeInvocationsPerWorkgroup! >= 256;
  return large ? 128 : 64;
}
