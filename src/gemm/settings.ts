import { type Gpu, GpuState } from '../gpu/gpu.ts';
import { familyFor, type GemmFamily, type GemmTraits, type GemmVariant, type RequestedFamily } from './variants.ts';

/** @internal One matrix multiplication as it is recorded. */
export interface GemmUse {
  /** The name of its GEMM: `linear.weightGrad`. */
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** @internal A GEMM kernel that runs only on request. Only programs that can request it contain its WGSL. */
export interface RequestedKernel {
  readonly family: RequestedFamily;
  readonly sources: readonly string[];
}

/** @internal What was set for the GEMM kernels of a Gpu. */
export interface GemmSettings {
  /** The family that `createGpu({ gemm })` forces. */
  forced?: GemmFamily | undefined;
  /** The GEMM kernel that `setFloat32MatmulPrecision(gpu, 'medium')` selected. */
  half?: RequestedKernel | undefined;
  /** The GEMM kernel in single precision that `useSubgroupMatrices` selected. */
  matrix?: RequestedKernel | undefined;
  /** Replaces the choice of a variant; see {@link withVariants}. */
  replace?: ((use: GemmUse, usual: GemmVariant) => GemmVariant) | undefined;
}

/** @internal */
export const gemmSettings: GpuState<GemmSettings> = /* @__PURE__ */ new GpuState<GemmSettings>(() => ({}));

/** @internal Returns the traits that the choice of a variant depends on. */
export function traitsOf(gpu: Gpu): GemmTraits {
  const { forced, half, matrix } = gemmSettings.of(gpu);
  return {
    kind: gpu.kind,
    lanes: gpu.device.lanes,
    minLanes: gpu.device.subgroupMinSize,
    askedLanes: gpu.device.askedLanes,
    takesFewLanes: gpu.device.takesFewLanes,
    maxInvocations: gpu.limits.maxComputeInvocationsPerWorkgroup!,
    family: (half ?? matrix)?.family ?? forced,
  };
}

/** Returns the family of GEMM kernels that `matmul`, `linear` and `conv2d` use on a Gpu. */
export const gemmFamily = (gpu: Gpu): GemmFamily | RequestedFamily => familyFor(traitsOf(gpu));

/** @internal Returns the family that multiplies in single precision if no other is requested. */
export const singleFamily = (gpu: Gpu): GemmFamily =>
  familyFor({ ...traitsOf(gpu), family: gemmSettings.of(gpu).forced }) as GemmFamily;

/**
 * @internal
 * Calls `fn` with another choice of variants, for the bench and tests: they measure and check variants that the table does not
 * choose. `replace` is called with each multiplication that `fn` records and the table's choice.
 */
export async function withVariants<T>(
  gpu: Gpu,
  replace: NonNullable<GemmSettings['replace']>,
  fn: () => T | Promise<T>,
): Promise<T> {
  const settings = gemmSettings.of(gpu);
  settings.replace = replace;
  try {
    return await fn();
  } finally {
    settings.replace = undefined;
  }
}
