import type { Gpu } from '../gpu/gpu.ts';
import { type GemmFamily, gemmFamily, gemmSettings, type HalfFamily } from './settings.ts';

/** How a product is computed: by which core, in tiles of how many rows, in how many slices of its depth. */
export interface GemmVariant {
  readonly family: GemmFamily | HalfFamily;
  readonly tile: number;
  readonly slices: number;
}

/** Variants by the products' class: `linear 128x128x512` is every `linear` whose sizes round up to these powers of two. */
export type GemmVariants = Readonly<Record<string, GemmVariant>>;

/** @internal A way to choose: from how many tiles on the workgroup core takes large ones, and how many workgroups are wanted. */
export interface GemmPlan {
  readonly large?: number;
  readonly workgroups?: number;
}

/** Depths that a workgroup's tile holds: slices begin at multiples of it. */
export const STEP = 16;

/** @internal One product that was recorded while a plan was tried. */
export interface TriedProduct {
  readonly name: string;
  readonly of: string;
  readonly variant: GemmVariant;
}

const chosen = new WeakMap<Gpu, GemmVariants>();
const trials = new WeakMap<Gpu, { readonly plan: GemmPlan; readonly seen: TriedProduct[] }>();

/** The variants that products on this Gpu were given, by measurement or by hand; all others follow from their sizes. */
export const gemmVariants = (gpu: Gpu): GemmVariants => chosen.get(gpu) ?? {};

/** Gives products their variants, as {@link gemmVariants} returned them; captured steps keep those they were captured with. */
export function setGemmVariants(gpu: Gpu, variants: GemmVariants): void {
  chosen.set(gpu, { ...variants });
}

function classOf(name: string, m: number, n: number, k: number): string {
  return `${name} ${[m, n, k].map((size) => 2 ** Math.ceil(Math.log2(Math.max(1, size)))).join('x')}`;
}

/** @internal The variant of a product: that of its class, or else what its sizes and the device suggest. */
export function variantOf(gpu: Gpu, name: string, m: number, n: number, k: number): GemmVariant {
  const of = classOf(name, m, n, k);
  const trial = trials.get(gpu);
  const given = trial ? undefined : chosen.get(gpu)?.[of];
  const variant = given && runs(gpu, given) ? given : plannedVariant(gpu, m, n, k, trial?.plan);
  if (m * n > 0) trial?.seen.push({ name, of, variant });
  return variant;
}

/** @internal Calls `fn`, whose products follow the plan, and lists them. */
export function tryPlan<T>(gpu: Gpu, plan: GemmPlan, fn: () => T): { result: T; seen: TriedProduct[] } {
  const seen: TriedProduct[] = [];
  trials.set(gpu, { plan, seen });
  try {
    return { result: fn(), seen };
  } finally {
    trials.delete(gpu);
  }
}

// A run may be resumed on another device than it was measured on.
function runs(gpu: Gpu, { family, tile }: GemmVariant): boolean {
  // One precision for all products of a Gpu.
  const { half } = gemmSettings.of(gpu);
  if (family !== half && (half || isHalf(family))) return false;
  if (family === 'subgroup') return gpu.subgroupSize >= 8;
  return !isTiled(family) || threadsOf(tile) <= gpu.limits.maxComputeInvocationsPerWorkgroup!;
}

const isMatrix = (family: string): boolean => family.startsWith('matrix');
const isTiled = (family: string): boolean => family === 'workgroup' || family === 'half';

/** @internal Whether it rounds its operands to half precision. */
export const isHalf = (family: string): boolean => family === 'half' || isMatrix(family);

function plannedVariant(gpu: Gpu, m: number, n: number, k: number, plan: GemmPlan = {}): GemmVariant {
  // The subgroup core shares rows among 8 lanes.
  const wanted = gemmFamily(gpu);
  const family = wanted === 'subgroup' && gpu.subgroupSize < 8 ? 'plain' : wanted;
  // Few tiles of many depths leave most of the device idle: a GPU wants a hundred workgroups, a CPU some for each core.
  const onGpu = isTiled(family) || isMatrix(family);
  const { large = 256, workgroups = onGpu ? 128 : 4 } = plan;
  let tile = 32;
  if (isMatrix(family)) tile = 64;
  else if (family === 'subgroup' && m <= 16) tile = 16;
  else if (onGpu && m > 32)
    tile = tilesOf(m, n, 128, 128) >= large && runs(gpu, { family, tile: 128, slices: 1 }) ? 128 : 64;
  const tiles = tilesOf(m, n, tile, columnsOf(family, tile));
  const most = Math.min(Math.ceil(workgroups / tiles), Math.floor(k / (onGpu ? 64 : 512)));
  const depth = STEP * Math.ceil(k / Math.max(1, most) / STEP);
  return { family, tile, slices: depth > 0 ? Math.ceil(k / depth) : 1 };
}

/** @internal */
export const columnsOf = (family: string, tile: number): number =>
  isTiled(family) || isMatrix(family) ? Math.max(tile, 4096 / tile) : 32;

// The workgroup core computes 8 x 8 an invocation.
const threadsOf = (tile: number): number => (tile * columnsOf('workgroup', tile)) / 64;

/** @internal */
export const tilesOf = (m: number, n: number, rows: number, columns: number): number =>
  Math.ceil(m / rows) * Math.ceil(n / columns);

/** @internal The overrides of a core. */
export function constantsOf(gpu: Gpu, { family, tile }: GemmVariant): Record<string, number> {
  // Four subgroups.
  if (isMatrix(family)) return { THREADS: 4 * gpu.subgroupSize };
  if (isTiled(family)) return { ROWS: tile, COLUMNS: columnsOf(family, tile), THREADS: threadsOf(tile) };
  return family === 'subgroup' ? { ROWS: tile } : {};
}
