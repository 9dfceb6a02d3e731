// The GEMM kernels that run only on request. Only programs that import `padagrad/precision` contain them.
import half from '../../shaders/gemm.half.wgsl';
import size8x8x8 from '../../shaders/gemm.matrix.8x8x8.wgsl';
import size8x16x16 from '../../shaders/gemm.matrix.8x16x16.wgsl';
import size16x16x16 from '../../shaders/gemm.matrix.16x16x16.wgsl';
import matrix from '../../shaders/gemm.matrix.wgsl';
import single from '../../shaders/gemm.single.wgsl';
import type { Gpu } from '../gpu/gpu.ts';
import type { RequestedKernel } from './settings.ts';

/** The WebGPU feature of subgroup matrices, still experimental: `createGpu({ features: [SUBGROUP_MATRICES] })` requests it. */
export const SUBGROUP_MATRICES = 'chromium-experimental-subgroup-matrix';

/** @internal The GEMM kernels of half precision, the fastest first. `half` uses the kernels of `workgroup` with tiles of f16. */
export const HALF_KERNELS: readonly RequestedKernel[] = [
  { family: 'matrix-f16-16x16x16', sources: [half, size16x16x16, matrix] },
  { family: 'matrix-f16-8x16x16', sources: [half, size8x16x16, matrix] },
  { family: 'matrix-f16-8x8x8', sources: [half, size8x8x8, matrix] },
  { family: 'half', sources: [half] },
];

/** @internal The GEMM kernel of subgroup matrices of f32, which Apple's GPUs have. */
export const MATRIX_KERNEL: RequestedKernel = { family: 'matrix-f32-8x8x8', sources: [single, size8x8x8, matrix] };

// Not in WebGPU's types yet.
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** @internal Returns the families for the device's subgroup matrices of f16 or f32 with f32 sums. */
export function matrixFamilies(gpu: Gpu): Set<string> {
  // Four subgroups share a tile, so the lanes of a subgroup must be known, or a number that a kernel can ask for.
  if (!gpu.features.has(SUBGROUP_MATRICES) || gpu.device.lanes === 0) return new Set();
  const { subgroupMatrixConfigs } = gpu.device.rawInfo as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const fitting = [...(subgroupMatrixConfigs ?? [])].filter(({ resultComponentType }) => resultComponentType === 'f32');
  return new Set(fitting.map(({ componentType, M, N, K }) => `matrix-${componentType}-${M}x${N}x${K}`));
}
