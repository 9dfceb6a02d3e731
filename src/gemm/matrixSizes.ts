import type { Gpu } from '../gpu/gpu.ts';

/** The feature of subgroup matrices, while it is an experiment of WebGPU's: for `createGpu({features: [SUBGROUP_MATRICES]})`. */
export const SUBGROUP_MATRICES = 'chromium-experimental-subgroup-matrix';

// Not yet in WebGPU's types.
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The sizes of the device's subgroup matrices of f16 that are summed in f32, as `MxNxK`. */
export function matrixSizes(gpu: Gpu): Set<string> {
  // Four subgroups share a tile, so their size has to be known.
  if (!gpu.features.has(SUBGROUP_MATRICES) || gpu.subgroupSize === 0) return new Set();
  const { subgroupMatrixConfigs } = gpu.device.rawInfo as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const fitting = [...(subgroupMatrixConfigs ?? [])].filter(
    ({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32',
  );
  return new Set(fitting.map(({ M, N, K }) => `${M}x${N}x${K}`));
}
