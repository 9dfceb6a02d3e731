import plain from '../../shaders/gemm.plain.wgsl';
import reduceSource from '../../shaders/gemm.reduce.wgsl';
import single from '../../shaders/gemm.single.wgsl';
import splitEpilogue from '../../shaders/gemm.splitK.epilogue.wgsl';
import subgroup from '../../shaders/gemm.subgroup.wgsl';
import workgroup4x4 from '../../shaders/gemm.workgroup.4x4.wgsl';
import workgroup from '../../shaders/gemm.workgroup.wgsl';
import type { Gpu } from '../gpu/gpu.ts';
import { type Binding, defineKernel, type Launch, type Params } from '../gpu/kernel.ts';
import { empty } from '../tensor.ts';
import { gemmSettings, traitsOf } from './settings.ts';
import {
  chooseVariant,
  constantsOf,
  type GemmFamily,
  type GemmVariant,
  kPerPart,
  lanesFor,
  tilesOf,
} from './variants.ts';

/** Arguments of one part of a GEMM, its operands or its epilogue: tensors by the names of its variables, and its overrides. */
export interface GemmPart {
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly constants?: Readonly<Record<string, number>>;
}

/** The sizes of a matrix multiplication, and the other fields of the operands' `Params`. `kPerPart` is added here. */
export interface GemmParams extends Params {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Records a matrix multiplication: one dispatch, or two if k is split. */
export type Gemm = (operands: GemmPart, epilogue: GemmPart, params: GemmParams) => void;

const KERNELS: Readonly<Record<GemmFamily, readonly string[]>> = {
  subgroup: [subgroup],
  workgroup: [single],
  plain: [plain],
};

/** Returns the WGSL of the GEMM kernel of a variant. */
function kernelOf(gpu: Gpu, { family, block }: GemmVariant): readonly string[] {
  const { half, matrix } = gemmSettings.of(gpu);
  const requested = half ?? matrix;
  const sources = requested?.family === family ? requested.sources : KERNELS[family as GemmFamily];
  return block ? [...sources, block === 4 ? workgroup4x4 : workgroup] : sources;
}

/**
 * Declares a matrix multiplication from the WGSL of its operands (`Params`, `loadA`, `loadB` and their helpers) and of its
 * epilogue, which takes the finished sums. `shaders/gemm.subgroup.wgsl` describes their functions. At each call the GEMM kernel
 * that suits the device and the sizes is joined to them.
 *
 * ```ts
 * const gemm = defineGemm('matmul', operands, epilogue);
 * gemm({ bindings: { a, b, mask: a } }, { bindings: { y } }, { m, n, k });
 * ```
 */
export function defineGemm(name: string, operands: string | readonly string[], epilogue: string): Gemm {
  const shared = [operands].flat();
  const joinedWith = (last: string) => {
    const made = new Map<string, Launch>();
    return (gpu: Gpu, variant: GemmVariant): Launch => {
      const key = `${variant.family} ${variant.block}`;
      let launch = made.get(key);
      if (!launch) {
        launch = defineKernel(name, [...shared, last, ...kernelOf(gpu, variant)], ['gemm']).gemm;
        made.set(key, launch);
      }
      return launch;
    };
  };
  const whole = joinedWith(epilogue);
  const split = joinedWith(splitEpilogue);
  const { reduce } = defineKernel(name, [...shared, epilogue, reduceSource], ['reduce']);

  return (input, output, sizes) => {
    const { gpu } = Object.values(input.bindings)[0]!;
    const { m, n, k } = sizes;
    const traits = traitsOf(gpu);
    const usual = chooseVariant(traits, m, n, k);
    const variant = gemmSettings.of(gpu).replace?.({ name, m, n, k }, usual) ?? usual;
    const { tileRows, tileColumns, splitK } = variant;
    const params = { ...sizes, kPerPart: kPerPart(k, splitK) };
    const tiles = tilesOf(m, n, tileRows, tileColumns);
    const constants = { ...input.constants, ...constantsOf(traits, variant) };
    const shared = { lanes: lanesFor(traits, variant), flops: 2 * m * n * k };
    if (splitK === 1) {
      const options = { ...shared, constants: { ...constants, ...output.constants } };
      whole(gpu, variant)({ ...input.bindings, ...output.bindings }, params, tiles, options);
      return;
    }
    // partial: [splitK, m, n up to a multiple of 4], the sums of each part of k
    const quads = Math.ceil(n / 4);
    // One invocation adds few parts as fast, and software adapters never have more.
    const LANES = splitK < 8 ? 1 : 16;
    const partial = empty(gpu, [splitK * m, 4 * quads], 'f32', 'partial');
    split(gpu, variant)({ ...input.bindings, partial }, params, [tiles, 1, splitK], { ...shared, constants });
    const groups = Math.ceil((m * quads * LANES) / 64);
    reduce({ ...output.bindings, partial }, params, groups, { constants: { ...output.constants, LANES } });
    partial.dispose();
  };
}
