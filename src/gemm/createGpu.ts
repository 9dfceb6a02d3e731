import { checkOptions, type OptionChecks, oneOf } from '../checks/options.ts';
import { type DeviceOptions, deviceChecks } from '../gpu/adapter.ts';
import { type Gpu, openGpu } from '../gpu/gpu.ts';
import { gemmSettings } from './settings.ts';
import type { GemmFamily } from './variants.ts';

/** Options of {@link createGpu}. */
export interface GpuOptions extends DeviceOptions {
  /** Forces a family of GEMM kernels, for tests and measurements. Default: the family that suits the adapter. */
  gemm?: GemmFamily;
}

const checks: OptionChecks<GpuOptions> = { ...deviceChecks, gemm: oneOf('subgroup', 'workgroup', 'plain') };

/**
 * Finds an adapter (Dawn in Node, `navigator.gpu` in a browser) and opens a device on it, with the adapter's limits and the
 * features that the kernels can use. It is here because `src/gpu` knows nothing of GEMM kernels.
 *
 * @throws GpuError `NO_WEBGPU` or `NO_ADAPTER`; the message says what to install or change
 * @throws TypeError or RangeError for an unknown option, or a wrong value of an option
 */
export async function createGpu(options: GpuOptions = {}): Promise<Gpu> {
  checkOptions('createGpu', options, checks);
  const { gemm, ...rest } = options;
  const gpu = await openGpu(rest);
  gemmSettings.of(gpu).forced = gemm;
  return gpu;
}
