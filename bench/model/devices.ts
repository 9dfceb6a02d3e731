// GPUs as the predictions know them. V marks numbers that the vendor states, M public measurements, and E estimates by analogy: correct
// them first when a device is at hand. Launches are estimates for all. Published costs include the host's work: 24 to 36 us per
// dispatch on Vulkan, 32 to 71 us on Metal (arXiv 2604.02344); a captured step here takes 2 us of the host per dispatch. On the GPU
// alone, CUDA graphs leave about 1 us between kernels (NVIDIA, "Getting Started with CUDA Graphs"), and barriers of other APIs more.
// `npm run bench` measures a device's own: `time per dispatch`.
import type { Device } from './predict.ts';

export const DEVICES: readonly Device[] = [
  {
    // V: RDNA 3: 96 CUs of two SIMDs. A multiply-add of 64 lanes takes a SIMD one cycle (dual issue), other instructions two. 192 KiB of
    // registers and 16 subgroups per SIMD, LDS of 64 KiB and 128 bytes per cycle for each CU; 96 MiB Infinity Cache, 960 GB/s. M: 150 ns to
    // the Infinity Cache (chipsandcheese.com, "Latency Testing is Hard"). E: its rate, near latency.
    name: 'RX 7900 XTX',
    counts: 'navi31',
    ...{ units: 96, schedulers: 2, lanes: 64, fmaLanes: 64, otherLanes: 32, clockGhz: 2.5, nearBytes: 128 },
    ...{ cacheMib: 96, cacheGbps: 3500, memoryGbps: 960, memoryNs: 150, nearNs: 25 },
    ...{ registerKib: 192, residentLanes: 1024, workgroupKib: 64, launchUs: 3 },
  },
  {
    // V: Xe-HPG: 32 Xe-cores of 16 vector engines with 8 lanes and 8 threads of 4 KiB; 2.4 GHz; 16 MiB L2; 560 GB/s. E: all else;
    // chipsandcheese.com, "Microbenchmarking Intel's Arc A770", has measurements.
    name: 'Arc A770',
    counts: 'dg2',
    ...{ units: 32, schedulers: 16, lanes: 16, fmaLanes: 8, otherLanes: 8, clockGhz: 2.4, nearBytes: 128 },
    ...{ cacheMib: 16, cacheGbps: 2000, memoryGbps: 560, memoryNs: 250, nearNs: 40 },
    ...{ registerKib: 32, residentLanes: 128, workgroupKib: 128, launchUs: 6 },
  },
  {
    // V: H100 SXM: 132 SMs of four partitions with 32 lanes and 64 KiB of registers, 64 warps per SM; 1.98 GHz; 228 KiB of shared memory, 128
    // bytes per cycle; 50 MiB L2; 3,350 GB/s. E: cache rate and latencies (chipsandcheese.com, "Nvidia's H100", has measurements).
    name: 'H100',
    counts: 'navi31',
    isStandIn: true,
    ...{ units: 132, schedulers: 4, lanes: 32, fmaLanes: 32, otherLanes: 32, clockGhz: 1.98, nearBytes: 128 },
    ...{ cacheMib: 50, cacheGbps: 5500, memoryGbps: 3350, memoryNs: 150, nearNs: 15 },
    ...{ registerKib: 64, residentLanes: 512, workgroupKib: 228, launchUs: 2 },
  },
  {
    // V: Ada: 128 SMs as above, but 48 warps and 100 KiB of shared memory per SM; 2.52 GHz; 72 MiB L2; 1,008 GB/s. E: as above.
    name: 'RTX 4090',
    counts: 'navi31',
    isStandIn: true,
    ...{ units: 128, schedulers: 4, lanes: 32, fmaLanes: 32, otherLanes: 32, clockGhz: 2.52, nearBytes: 128 },
    ...{ cacheMib: 72, cacheGbps: 5000, memoryGbps: 1008, memoryNs: 120, nearNs: 12 },
    ...{ registerKib: 64, residentLanes: 384, workgroupKib: 100, launchUs: 2 },
  },
  {
    // V: 10 cores, 100 GB/s. M: four schedulers of 32 lanes per core, 384 KB of registers, 3,072 resident lanes, 64 KB of threadgroup
    // memory (github.com/philipturner/metal-benchmarks). E: near memory, cache, latencies.
    name: 'M2',
    counts: 'navi31',
    isStandIn: true,
    ...{ units: 10, schedulers: 4, lanes: 32, fmaLanes: 32, otherLanes: 32, clockGhz: 1.4, nearBytes: 128 },
    ...{ cacheMib: 8, cacheGbps: 300, memoryGbps: 100, memoryNs: 300, nearNs: 30 },
    ...{ registerKib: 96, residentLanes: 768, workgroupKib: 64, launchUs: 8 },
  },
  {
    // Snapdragon 8 Gen 2. V: 1,536 lanes at 0.68 GHz, 67 GB/s. E: all else, after Adreno 6xx and 730 (azhirnov, cpu-gpu-arch;
    // chipsandcheese.com, "Inside Snapdragon 8+ Gen 1's iGPU").
    name: 'Adreno 740',
    counts: 'navi31',
    isStandIn: true,
    ...{ units: 12, schedulers: 2, lanes: 64, fmaLanes: 64, otherLanes: 64, clockGhz: 0.68, nearBytes: 64 },
    ...{ cacheMib: 6, cacheGbps: 150, memoryGbps: 67, memoryNs: 400, nearNs: 60 },
    ...{ registerKib: 64, residentLanes: 512, workgroupKib: 32, launchUs: 20 },
  },
];

/** Returns the devices whose names contain `name`, in any case, with or without spaces; all without one. */
export function devicesOf(name = ''): readonly Device[] {
  const plain = (text: string) => text.toLowerCase().replaceAll(' ', '');
  const found = DEVICES.filter((device) => plain(device.name).includes(plain(name)));
  if (found.length > 0) return found;
  throw new RangeError(`--model ${name}: known are ${DEVICES.map((device) => device.name).join(', ')}`);
}

/** Returns the device that an adapter's name, as Dawn gives it, contains. */
export function deviceNamed(name: string): Device {
  const plain = name
    .replace(/\((tm|r)\)/gi, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
  const found = DEVICES.find((device) => plain.includes(device.name.toLowerCase()));
  if (found) return found;
  throw new RangeError(
    `--model adapter: no numbers are known for ${name}; add a device with that name to bench/model/devices.ts`,
  );
}
