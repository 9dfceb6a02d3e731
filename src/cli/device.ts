import type { AdapterInfo, GemmFamily } from '../gpu/device.ts';
import type { Gpu } from '../gpu/gpu.ts';

/** The device a run was made on, and the kernel variants chosen for it: part of the run, for only they give the same bits. */
export interface Device extends AdapterInfo {
  gemmFamily: GemmFamily;
  subgroupSize: number;
}

export const deviceOf = (gpu: Gpu): Device => ({
  ...gpu.info,
  gemmFamily: gpu.gemmFamily,
  subgroupSize: gpu.subgroupSize,
});

/** A name for people: what the adapter calls itself, and whether the CPU plays it. */
export function describeDevice(info: AdapterInfo): string {
  const name =
    info.device || info.description || info.architecture || info.vendor || 'an adapter that does not say its name';
  return info.software ? `${name} (software)` : name;
}
