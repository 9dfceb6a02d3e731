import { createGpu } from '../gemm/createGpu.ts';
import { type Float32MatmulPrecision, SUBGROUP_MATRICES, setFloat32MatmulPrecision } from '../gemm/precision.ts';
import { gemmFamily } from '../gemm/settings.ts';
import type { GemmFamily, RequestedFamily } from '../gemm/variants.ts';
import type { AdapterInfo } from '../gpu/device.ts';
import type { Gpu } from '../gpu/gpu.ts';

/** Opens the GPU with a precision for matmul and convolution. Default: `highest`. */
export async function openGpu(precision: Float32MatmulPrecision = 'highest'): Promise<Gpu> {
  const gpu = await createGpu({ features: precision === 'medium' ? [SUBGROUP_MATRICES] : [] });
  try {
    await setFloat32MatmulPrecision(gpu, precision);
    return gpu;
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

/** Opens the GPU, calls `use`, and closes the GPU. */
export async function withGpu<T>(
  precision: Float32MatmulPrecision | undefined,
  use: (gpu: Gpu) => Promise<T>,
): Promise<T> {
  const gpu = await openGpu(precision);
  try {
    return await use(gpu);
  } finally {
    gpu.dispose();
  }
}

/** The device of a run and the kernels it uses. Another device or other kernels give other bits. */
export interface Device extends AdapterInfo {
  gemmFamily: GemmFamily | RequestedFamily;
  subgroupSize: number;
}

export const deviceOf = (gpu: Gpu): Device => ({
  ...gpu.info,
  gemmFamily: gemmFamily(gpu),
  subgroupSize: gpu.subgroupSize,
});

/** Returns the adapter's name. Dawn replaces a closing bracket at its end by a dash, which is removed. */
export const nameOf = ({ device, description, architecture, vendor }: AdapterInfo): string =>
  device.replace(/-+$/, '') || description || architecture || vendor || 'an unnamed adapter';

/** Returns the adapter's name and whether it runs on the CPU. */
export const describeDevice = (info: AdapterInfo): string =>
  info.software ? `${nameOf(info)} (software)` : nameOf(info);
