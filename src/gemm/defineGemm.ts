import partial from '../../shaders/gemm.partial.wgsl';
import plain from '../../shaders/gemm.plain.wgsl';
import reduce from '../../shaders/gemm.reduce.wgsl';
import single from '../../shaders/gemm.single.wgsl';
import subgroup from '../../shaders/gemm.subgroup.wgsl';
import workgroup from '../../shaders/gemm.workgroup.wgsl';
import type { Binding } from '../gpu/kernel.ts';
import { defineKernel, type Launch, type Params } from '../gpu/kernel.ts';
import { empty } from '../tensor.ts';
import type { HalfFamily } from './settings.ts';
import { columnsOf, constantsOf, type GemmVariant, STEP, tilesOf, variantOf } from './variants.ts';

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

const cores: Partial<Record<GemmVariant['family'], readonly string[]>> = {
  subgroup: [subgroup],
  workgroup: [single, workgroup],
  plain: [plain],
};

/** @internal Adds a core that not every program needs. */
export function addCore(family: HalfFamily, ...sources: readonly string[]): void {
  cores[family] = sources;
}

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
  const define = (last: string) => {
    const made: Partial<Record<GemmVariant['family'], Launch>> = {};
    return (family: GemmVariant['family']): Launch => {
      made[family] ??= defineKernel(name, [...shared, last, ...cores[family]!], ['product']).product;
      return made[family];
    };
  };
  const whole = define(store);
  const slice = define(partial);
  const sum = defineKernel(name, [...shared, store, reduce], ['reduce']).reduce;

  return (from, to, params) => {
    const { gpu } = Object.values(from.bindings)[0]!;
    const { m, n, k } = params;
    const variant = variantOf(gpu, name, m, n, k);
    const { family, tile, slices } = variant;
    const all = { ...params, depth: STEP * Math.ceil(k / slices / STEP) };
    const tiles = tilesOf(m, n, tile, columnsOf(family, tile));
    const constants = { ...from.constants, ...constantsOf(gpu, variant) };
    const flops = 2 * m * n * k;
    if (slices === 1) {
      const both = { ...from.bindings, ...to.bindings };
      whole(family)(both, all, tiles, { constants: { ...constants, ...to.constants }, flops });
      return;
    }
    const quads = Math.ceil(n / 4);
    const sums = empty(gpu, [slices * m, 4 * quads], 'f32', 'partial');
    slice(family)({ ...from.bindings, partial: sums }, all, [tiles, 1, slices], { constants, flops });
    sum({ ...to.bindings, partial: sums }, all, Math.ceil((m * quads) / 64), { constants: to.constants ?? {} });
    sums.dispose();
  };
}
