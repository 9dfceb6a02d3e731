import { type Gpu, GpuState } from '../gpu/gpu.ts';

/** The families of GEMM kernels in single precision, see `shaders/gemm.*.wgsl`. */
export type GemmFamily = 'subgroup' | 'workgroup' | 'plain';

/** The families that round their operands to half precision: in workgroup memory, or in subgroup matrices of one size. */
export type HalfFamily = 'half' | 'matrix-8x8x8' | 'matrix-16x16x16' | 'matrix-8x16x16';

/** @internal What was set for the GEMM kernels of a Gpu. */
export interface GemmSettings {
  /** The family that `createGpu({ gemm })` forced. */
  forced?: GemmFamily | undefined;
  /** The family that `setFloat32MatmulPrecision(gpu, 'medium')` found to work. */
  half?: HalfFamily | undefined;
}

/** @internal */
export const gemmSettings: GpuState<GemmSettings> = /* @__PURE__ */ new GpuState<GemmSettings>(() => ({}));

/** Returns the family of GEMM kernels that `matmul`, `linear` and `conv2d` use on a Gpu. */
export const gemmFamily = (gpu: Gpu): GemmFamily | HalfFamily => gemmSettings.of(gpu).half ?? singleFamily(gpu);

/** @internal Returns the family that multiplies in single precision. */
export function singleFamily(gpu: Gpu): GemmFamily {
  const { forced } = gemmSettings.of(gpu);
  if (forced) return forced;
  if (gpu.kind === 'gpu') return 'workgroup';
  return gpu.subgroupSize > 0 ? 'subgroup' : 'plain';
}
