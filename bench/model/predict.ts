// Predicts the time of a kernel from what its compiler made of it. Nothing here was measured: these are the terms that bound every
// GPU, and the largest one wins.
//
//   time = launch + max(busiest unit, memory)
//
//   busiest unit  A unit (AMD: CU, NVIDIA: SM, Intel: Xe-core) holds a few workgroups at once, as many as its registers and its
//                 workgroup memory allow (occupancy), and computes them side by side, batch after batch. The unit with the most
//                 workgroups decides, so 97 workgroups on 96 units take as long as 192 (wave quantisation). A batch takes as long as
//                 the slowest of: its arithmetic, its transfers from near memory, and the latency of one workgroup, which more
//                 workgroups hide (Volkov, "Understanding Latency Hiding on GPUs", 2016).
//   memory        The bytes beyond the unit, at the rate of the level that holds the data of the whole step (roofline: Williams,
//                 Waterman, Patterson, "Roofline", 2009).
//   launch        The gap between two dispatches of which the second reads what the first wrote.
//
// Left out: bank conflicts, reads of one word that lanes share, hits in the nearest cache (so convolutions, which read pixels many times,
// get too much `memory`), how well addresses coalesce, and dispatches that overlap because neither needs the other. Branches count as
// taken.

/** The properties of a GPU that a prediction uses. Rates are per unit and clock cycle unless the comment gives another unit. */
export interface Device {
  readonly name: string;
  /** The family whose compiled kernels stand for this device's: `navi31` or `dg2`. */
  readonly counts: string;
  /** Whether that family is of another maker. */
  readonly isStandIn?: boolean;
  readonly units: number;
  /** Schedulers of a unit. Each issues the instructions of its own subgroups. */
  readonly schedulers: number;
  /** Lanes of a subgroup. */
  readonly lanes: number;
  /** Multiply-adds per scheduler and cycle. */
  readonly fmaLanes: number;
  /** Lanes of any other vector instruction per scheduler and cycle. */
  readonly otherLanes: number;
  readonly clockGhz: number;
  /** Bytes per unit and cycle from workgroup memory and the nearest cache together. */
  readonly nearBytes: number;
  /** The last cache: its size, and its rate for the whole device. */
  readonly cacheMib: number;
  readonly cacheGbps: number;
  readonly memoryGbps: number;
  /** Nanoseconds of a read beyond the unit, and of a read of workgroup memory or a barrier. */
  readonly memoryNs: number;
  readonly nearNs: number;
  /** KiB of registers per scheduler, lanes that it holds at most, KiB of workgroup memory per unit. */
  readonly registerKib: number;
  readonly residentLanes: number;
  readonly workgroupKib: number;
  readonly launchUs: number;
}

/** The instructions that one invocation executes. */
export interface Executed {
  fma: number;
  /** Other vector instructions. */
  other: number;
  /** Words of 4 bytes that it loads or stores, beyond the unit and in workgroup memory. */
  memoryWords: number;
  nearWords: number;
  /** Waits for a read beyond the unit, and for workgroup memory or a barrier. */
  memoryWaits: number;
  nearWaits: number;
}

/** One dispatch, as {@link predict} needs it. */
export interface KernelWork {
  workgroups: number;
  /** Invocations per workgroup, and bytes of workgroup memory. */
  invocations: number;
  workgroupBytes: number;
  /** Bytes of registers per invocation. */
  registerBytes: number;
  executed: Executed;
  /** Bytes of the tensors, each counted once, and of all tensors of the step: the data that a cache would have to hold. */
  bytes: number;
  footprint: number;
}

export type Bound = 'arithmetic' | 'near memory' | 'memory' | 'latency' | 'launch';

/** A predicted time and the terms that it is the largest of, in microseconds. */
export interface Prediction {
  us: number;
  bound: Bound;
  terms: Readonly<Record<Bound, number>>;
  /** Workgroups that a unit holds at once, and the share of the units' rounds that have work. */
  resident: number;
  used: number;
}

/** Returns the workgroups that fit on a unit at once: at least one, or the device could not run the kernel. */
export function residentGroups(device: Device, work: KernelWork): number {
  const { registerKib, residentLanes, workgroupKib, schedulers, lanes } = device;
  const { invocations, registerBytes, workgroupBytes } = work;
  const perScheduler = Math.min(residentLanes, (1024 * registerKib) / Math.max(1, registerBytes));
  const byRegisters = Math.floor((schedulers * perScheduler) / (lanes * Math.ceil(invocations / lanes)));
  const byMemory = workgroupBytes > 0 ? Math.floor((1024 * workgroupKib) / workgroupBytes) : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(byRegisters, byMemory));
}

/** Returns the nanoseconds that `groups` workgroups, all on one unit at the same time, take by each term. */
function batch(device: Device, { invocations, executed }: KernelWork, groups: number) {
  const { schedulers, lanes, fmaLanes, otherLanes, clockGhz, nearBytes, memoryNs, nearNs } = device;
  const { fma, other, memoryWords, nearWords, memoryWaits, nearWaits } = executed;
  // Cycles in which a scheduler issues one invocation's instructions.
  const issue = fma / fmaLanes + other / otherLanes;
  // A scheduler takes whole subgroups, so few of them leave schedulers idle.
  const subgroups = Math.ceil(invocations / lanes);
  const arithmetic = (Math.ceil((groups * subgroups) / schedulers) * lanes * issue) / clockGhz;
  const near = (groups * invocations * 4 * (memoryWords + nearWords)) / nearBytes / clockGhz;
  // Alone, a workgroup waits for each read and computes in between.
  const alone = (Math.ceil(subgroups / schedulers) * lanes * issue) / clockGhz;
  const latency = memoryWaits * memoryNs + nearWaits * nearNs + alone;
  return { arithmetic, near, latency };
}

/** Predicts the time of a dispatch. */
export function predict(device: Device, work: KernelWork): Prediction {
  const { units, cacheMib, cacheGbps, memoryGbps, launchUs } = device;
  const { workgroups, invocations, executed, bytes, footprint } = work;
  const resident = residentGroups(device, work);
  const busiest = Math.ceil(workgroups / units);
  const whole = Math.floor(busiest / resident);
  const full = batch(device, work, resident);
  const last = batch(device, work, busiest % resident);
  const over = (term: keyof typeof full) => (whole * full[term] + (busiest % resident > 0 ? last[term] : 0)) / 1e3;
  const moved = Math.max(bytes, 4 * executed.memoryWords * invocations * workgroups);
  const isCached = footprint <= cacheMib * 2 ** 20;
  // Each tensor crosses the memory's bus once; all words that are loaded come through the cache.
  const memory = Math.max(isCached ? 0 : bytes / memoryGbps, moved / cacheGbps) / 1e3;
  const terms = {
    arithmetic: over('arithmetic'),
    'near memory': over('near'),
    memory,
    latency: over('latency'),
    launch: launchUs,
  };
  // The terms of a batch overlap, those of different batches do not: the slowest of each batch counts.
  const slowest = (one: typeof full) => Math.max(one.arithmetic, one.near, one.latency);
  const unit = (whole * slowest(full) + (busiest % resident > 0 ? slowest(last) : 0)) / 1e3;
  const us = launchUs + Math.max(unit, memory);
  const [bound] = Object.entries(terms).reduce((a, b) => (b[1] > a[1] ? b : a)) as [Bound, number];
  return { us, bound, terms, resident, used: workgroups / (units * busiest) };
}

/** Returns 1e9 operations per second of a device that does nothing but multiply-adds. */
export const peakGflops = ({ units, schedulers, fmaLanes, clockGhz }: Device): number =>
  2 * units * schedulers * fmaLanes * clockGhz;
