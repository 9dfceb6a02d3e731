// Chooses how a matrix multiplication is computed: by which GEMM kernel, in tiles of which size, and in how many parts along k.
// The choice is a pure function of the device's traits and the sizes. So the same program on the same adapter gives the same
// bits, and there is nothing to measure, save or restore at run time. `npm run bench -- --variants` measures the choice.
import type { GpuKind } from '../gpu/adapter.ts';

/** The GEMM kernels in single precision: `shaders/gemm.subgroup.wgsl`, `gemm.workgroup.wgsl` and `gemm.plain.wgsl`. */
export type GemmFamily = 'subgroup' | 'workgroup' | 'plain';

/** The GEMM kernels that round their operands to half precision: `gemm.half.wgsl`, and `gemm.matrix.wgsl` per matrix size. */
export type HalfFamily = 'half' | 'matrix-8x8x8' | 'matrix-16x16x16' | 'matrix-8x16x16';

/** How a matrix multiplication is computed. */
export interface GemmVariant {
  readonly family: GemmFamily | HalfFamily;
  /** Rows and columns of the result that one workgroup computes. */
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Parts into which k is split. Each is a workgroup's sum; a second dispatch adds them up. 1: not split. */
  readonly splitK: number;
}

/** The traits of a device that the choice depends on. */
export interface GemmTraits {
  readonly kind: GpuKind;
  /** Lanes of a subgroup; 0 if kernels cannot use subgroups. */
  readonly lanes: number;
  /** The limit `maxComputeInvocationsPerWorkgroup`. */
  readonly maxInvocations: number;
  /** A family to use instead of the one that suits the device. */
  readonly family?: GemmFamily | HalfFamily | undefined;
}

interface Tile {
  rows: number;
  columns: number;
  /** Use the tile only for results with at most this many rows. */
  maxRows?: number;
  /** Use the tile only if it gives at least this many workgroups. */
  minTiles?: number;
}

interface Row {
  /** The first tile that fits the sizes is used. */
  tiles: readonly Tile[];
  /** k is split until there are this many workgroups ... */
  workgroups: number;
  /** ... but each part keeps at least this many steps of k. */
  minK: number;
}

// A GPU runs a hundred workgroups and more at the same time, so results with few tiles are split along k. These numbers are
// estimates: no GPU has been measured yet.
const MANY = { workgroups: 128, minK: 64 };
// A CPU runs one workgroup per core, and every part costs it a pass over memory more.
const FEW = { workgroups: 4, minK: 512 };

// 8 x 8 sums per invocation, so 128 x 128 takes 256 invocations and 64 x 64 takes 64.
const WORKGROUP: Row = {
  tiles: [
    // Convolutions with few channels: a square tile would be mostly empty.
    { rows: 32, columns: 128, maxRows: 32 },
    // Half the loads per multiply-add of 64 x 64, if there are enough tiles to fill a large GPU.
    { rows: 128, columns: 128, minTiles: 256 },
    { rows: 64, columns: 64 },
  ],
  ...MANY,
};
// Four subgroups with 32 x 32 each: all sizes of subgroup matrices divide it.
const MATRIX: Row = { tiles: [{ rows: 64, columns: 64 }], ...MANY };

const TABLE: Readonly<Record<GemmFamily | HalfFamily, Row>> = {
  // A CPU with 8 lanes: the sums of 32 x 32 take 4 KiB, which its nearest cache holds. For few rows, 16 x 32 wastes less.
  subgroup: {
    tiles: [
      { rows: 16, columns: 32, maxRows: 16 },
      { rows: 32, columns: 32 },
    ],
    ...FEW,
  },
  // A CPU without subgroups, or with fewer than 8 lanes: 16 x 8 sums per invocation, 8 invocations per workgroup.
  plain: { tiles: [{ rows: 32, columns: 32 }], ...FEW },
  // Every GPU, whatever its lanes: the kernel needs no subgroups.
  workgroup: WORKGROUP,
  half: WORKGROUP,
  'matrix-8x8x8': MATRIX,
  'matrix-16x16x16': MATRIX,
  'matrix-8x16x16': MATRIX,
};

/** @internal Columns that every tile divides. */
export const WIDEST_TILE = 128;

// Steps of k that a tile in workgroup memory holds. Parts begin at multiples of it.
const K_STEP = 16;

/** Returns the family of GEMM kernels for a device. */
export function familyFor({ kind, lanes, family }: GemmTraits): GemmFamily | HalfFamily {
  const suited = family ?? (kind === 'gpu' ? 'workgroup' : 'subgroup');
  // The subgroup kernel shares rows among 8 lanes.
  return suited === 'subgroup' && lanes < 8 ? 'plain' : suited;
}

/** Chooses the variant for [m, k] times [k, n] on a device. */
export function chooseVariant(traits: GemmTraits, m: number, n: number, k: number): GemmVariant {
  const family = familyFor(traits);
  const { tiles, workgroups, minK } = TABLE[family];
  const { rows, columns } = tiles.find((tile) => fits(tile, traits, m, n))!;
  const parts = Math.min(Math.ceil(workgroups / tilesOf(m, n, rows, columns)), Math.floor(k / minK));
  const splitK = Math.ceil(k / Math.max(1, kPerPart(k, parts)));
  return { family, tileRows: rows, tileColumns: columns, splitK: Math.max(1, splitK) };
}

function fits(tile: Tile, traits: GemmTraits, m: number, n: number): boolean {
  const { rows, columns, maxRows = Infinity, minTiles = 0 } = tile;
  return m <= maxRows && tilesOf(m, n, rows, columns) >= minTiles && runsOn(traits, tile);
}

const runsOn = ({ maxInvocations }: GemmTraits, { rows, columns }: Tile): boolean =>
  invocationsOf(rows, columns) <= maxInvocations;

const SPLITS = [1, 2, 4, 8, 16, 32, 64];

/** Whether a split of k may gain: 512 workgroups fill every device, and a part needs at least two steps of a tile. */
const mayGain = (parts: number, k: number, tiles: number): boolean =>
  parts === 1 || (k / parts >= 2 * K_STEP && tiles * parts <= 512);

/** @internal Returns the variants worth measuring for these sizes: every tile of every family, split along k or not. */
export function listVariants(traits: GemmTraits, m: number, n: number, k: number): GemmVariant[] {
  const usual = chooseVariant(traits, m, n, k);
  const single: GemmVariant['family'][] = ['workgroup', 'plain', ...(traits.lanes >= 8 ? (['subgroup'] as const) : [])];
  // Half precision is used only on request, and then for every multiplication.
  const families = single.includes(usual.family) ? single : [usual.family];
  const all = families.flatMap((family) =>
    TABLE[family].tiles
      .filter((tile) => runsOn(traits, tile))
      .flatMap(({ rows, columns }) =>
        SPLITS.filter((parts) => mayGain(parts, k, tilesOf(m, n, rows, columns))).map(
          (splitK): GemmVariant => ({ family, tileRows: rows, tileColumns: columns, splitK }),
        ),
      ),
  );
  const different = all.filter((variant) => JSON.stringify(variant) !== JSON.stringify(usual));
  return [usual, ...different];
}

/** @internal Whether no tile reaches beyond k, so operands need not look for its end. */
export const isWhole = (k: number): boolean => k % K_STEP === 0;

/** @internal Returns the steps of k in each of `parts` parts; the last part may have fewer. */
export const kPerPart = (k: number, parts: number): number => K_STEP * Math.ceil(k / Math.max(1, parts) / K_STEP);

/** @internal Returns the number of tiles that cover [m, n]. */
export const tilesOf = (m: number, n: number, rows: number, columns: number): number =>
  Math.ceil(m / rows) * Math.ceil(n / columns);

/** Invocations of the workgroup kernel, which computes 8 x 8 each. */
const invocationsOf = (rows: number, columns: number): number => (rows * columns) / 64;

/** @internal Returns the values of a GEMM kernel's overrides. */
export function constantsOf({ lanes }: GemmTraits, variant: GemmVariant): Record<string, number> {
  const { family, tileRows: ROWS, tileColumns: COLUMNS } = variant;
  if (family === 'plain') return {};
  if (family === 'subgroup') return { ROWS };
  if (family === 'workgroup' || family === 'half') return { ROWS, COLUMNS, THREADS: invocationsOf(ROWS, COLUMNS) };
  // Four subgroups.
  return { THREADS: 4 * lanes };
}
