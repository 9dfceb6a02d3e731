import { type GemmFamily, gemmFamily, type HalfFamily } from '../gemm/settings.ts';
import type { AdapterInfo } from '../gpu/device.ts';
import type { Gpu } from '../gpu/gpu.ts';

/** The device of a run and the kernels it uses. Another device or other kernels give other bits. */
export interface Device extends AdapterInfo {
  gemmFamily: GemmFamily | HalfFamily;
  subgroupSize: number;
}

export const deviceOf = (gpu: Gpu): Device => ({
  ...gpu.info,
  gemmFamily: gemmFamily(gpu),
  subgroupSize: gpu.subgroupSize,
});

/** What the adapter calls itself. Dawn makes a slug of it, with a dash for a closing bracket. */
export const nameOf = ({ device, description, architecture, vendor }: AdapterInfo): string =>
  device.replace(/-+$/, '') || description || architecture || vendor || 'an adapter that does not say its name';

/** A name for people: what the adapter calls itself, and whether the CPU plays it. */
export const describeDevice = (info: AdapterInfo): string =>
  info.software ? `${nameOf(info)} (software)` : nameOf(info);
