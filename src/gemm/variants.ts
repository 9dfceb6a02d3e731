// Chooses the GEMM kernel for a matrix multiplication, the size of its tiles, and the number of parts along k (split-K).
// The choice is a pure function of the device's traits and the sizes. So the same program on the same adapter gives the same
// bits, and there is nothing to measure, save or restore at run time. `npm run bench -- --variants` measures the choice.
import type { GpuKind } from '../gpu/adapter.ts';
import { FEW_LANES } from '../gpu/device.ts';

/** The GEMM kernels in single precision: `shaders/gemm.subgroup.wgsl`, `gemm.workgroup.wgsl` with `.4x4`, and `gemm.plain.wgsl`. */
export type GemmFamily = 'subgroup' | 'workgroup' | 'plain';

/**
 * The GEMM kernels that run only on request. `half` is `workgroup` with tiles of f16; `matrix-*` is `gemm.matrix.wgsl` for one type and
 * size of subgroup matrices. All but `matrix-f32-8x8x8` round their operands to f16.
 */
export type RequestedFamily =
  | 'half'
  | 'matrix-f16-8x8x8'
  | 'matrix-f16-16x16x16'
  | 'matrix-f16-8x16x16'
  | 'matrix-f32-8x8x8';

/** How a matrix multiplication is computed. */
export interface GemmVariant {
  readonly family: GemmFamily | RequestedFamily;
  /** Rows and columns of the result that one workgroup computes. */
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Rows and columns that one invocation of a `workgroup` or `half` kernel computes. Other kernels have no choice. */
  readonly block?: 4 | 8 | undefined;
  /** Parts into which k is split. Each has its own workgroups, and a second dispatch adds their sums. 1: not split. */
  readonly splitK: number;
}

/** The traits of a device that the choice depends on. */
export interface GemmTraits {
  readonly kind: GpuKind;
  /** Lanes of a subgroup; 0 if kernels cannot use subgroups. */
  readonly lanes: number;
  /** The fewest lanes that a subgroup may have; 0 if that is unknown. */
  readonly minLanes: number;
  /** The lanes that a kernel of subgroup matrices must ask for, if the device may choose other lanes for each kernel. */
  readonly askedLanes?: number | undefined;
  /** Whether kernels can ask for 8 lanes. */
  readonly takesFewLanes?: boolean;
  /** The limit `maxComputeInvocationsPerWorkgroup`. */
  readonly maxInvocations: number;
  /** A family to use instead of the one that suits the device. */
  readonly family?: GemmFamily | RequestedFamily | undefined;
}

interface Tile {
  rows: number;
  columns: number;
  block?: 4 | 8;
  /** Use the tile only for results with at most this many rows and columns. */
  maxRows?: number;
  maxColumns?: number;
  /** Use the tile only if the result holds at least this many whole tiles. */
  minTiles?: number;
  /** Use the tile only if `invocations` are reached, with k split into as many parts as `minK` allows. */
  fills?: true;
}

interface Row {
  /** The first tile that fits the sizes and the device is used. */
  tiles: readonly Tile[];
  /** k is split until there are this many invocations ... */
  invocations: number;
  /** ... but each part keeps at least this many steps of k. */
  minK: number;
}

// A GPU needs of the order of 1,000 subgroups to be busy, so results with few tiles are split along k. Adding up the parts is a
// dispatch of its own, which takes longer than 128 steps of k. These numbers are estimates: no GPU has been measured yet.
const MANY = { invocations: 32 * 1024, minK: 128 };
// A CPU runs one workgroup of 8 invocations per core, and each part costs one more pass over memory.
const FEW = { invocations: 4 * 8, minK: 512 };

// `npm run gpu-compile` shows the figures that these rows refer to; tools/gpu-compile/bounds.md has them.
const WORKGROUP: Row = {
  tiles: [
    // Few rows or columns: the layers of small networks and their gradients. A larger tile would be mostly empty.
    { rows: 32, columns: 32, block: 4, maxRows: 32, maxColumns: 32 },
    { rows: 32, columns: 64, block: 4, maxRows: 32 },
    { rows: 64, columns: 32, block: 4, maxColumns: 32 },
    // 8 x 8 sums per invocation need half as many reads of workgroup memory per multiply-add as 4 x 4. On RDNA 92 to 96 % of a
    // round's vector instructions are multiply-adds, with 4 x 4 86 to 91 %. But 8 x 8 takes up to 170 registers instead of 72, and
    // has a quarter of the invocations, so a GPU is idle unless there are many tiles. `hasRegisters` names the devices.
    { rows: 128, columns: 128, block: 8, minTiles: 256 },
    { rows: 64, columns: 64, block: 8, minTiles: 512 },
    // 4 x 4 sums per invocation: four times the invocations.
    { rows: 64, columns: 64, block: 4, fills: true },
    // Small results with a k too short for many parts, such as 256 x 256 x 256 or the linear layers of a step. With 64 x 64 most units
    // of a large GPU would have no work. Half a tile gives twice the workgroups, each with half the work, but needs 1.5 times the loads
    // per multiply-add. Also for devices that allow only 128 invocations per workgroup.
    { rows: 32, columns: 64, block: 4 },
  ],
  ...MANY,
};
// Four subgroups with 32 x 32 each, a multiple of all sizes of subgroup matrices.
const MATRIX: Row = { tiles: [{ rows: 64, columns: 64 }], ...MANY };

const TABLE: Readonly<Record<GemmFamily | RequestedFamily, Row>> = {
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
  // Every GPU: the kernels need no subgroups.
  workgroup: WORKGROUP,
  half: WORKGROUP,
  'matrix-f16-8x8x8': MATRIX,
  'matrix-f16-16x16x16': MATRIX,
  'matrix-f16-8x16x16': MATRIX,
  'matrix-f32-8x8x8': MATRIX,
};

/** @internal The columns of the widest tile, a multiple of those of every other. */
export const WIDEST_TILE = 128;

// The most steps of k in a round. Parts begin at multiples of it.
const K_STEP = 32;

/** Returns the family of GEMM kernels for a device. */
export function familyFor({ kind, lanes, family }: GemmTraits): GemmFamily | RequestedFamily {
  const suited = family ?? (kind === 'gpu' ? 'workgroup' : 'subgroup');
  // The subgroup kernel shares rows among 8 lanes.
  return suited === 'subgroup' && lanes < 8 ? 'plain' : suited;
}

/** Chooses the variant for [m, k] times [k, n] on a device. */
export function chooseVariant(traits: GemmTraits, m: number, n: number, k: number): GemmVariant {
  const family = familyFor(traits);
  const { tiles, invocations, minK } = TABLE[family];
  const mostParts = Math.max(1, Math.floor(k / minK));
  const running = (tile: Tile) => tilesOf(m, n, tile.rows, tile.columns) * invocationsOf(family, tile);
  const isEnough = (tile: Tile) => !tile.fills || running(tile) * mostParts >= invocations;
  const tile = tiles.find((one) => fits(one, traits, m, n) && isEnough(one))!;
  const parts = Math.min(Math.ceil(invocations / running(tile)), mostParts);
  return variantOf(family, tile, Math.max(1, Math.ceil(k / Math.max(1, kPerPart(k, parts)))));
}

const variantOf = (family: GemmVariant['family'], { rows, columns, block }: Tile, splitK: number): GemmVariant => ({
  family,
  tileRows: rows,
  tileColumns: columns,
  block,
  splitK,
});

function fits(tile: Tile, traits: GemmTraits, m: number, n: number): boolean {
  const { rows, columns, maxRows = Infinity, maxColumns = Infinity, minTiles = 0 } = tile;
  const isSmall = m <= maxRows && n <= maxColumns;
  const isLarge = Math.floor(m / rows) * Math.floor(n / columns) >= minTiles;
  return isSmall && isLarge && (tile.block !== 8 || hasRegisters(traits)) && runsOn(traits, tile);
}

// With at least this many lanes per subgroup, drivers give a lane enough registers for 8 x 8 sums.
const MANY_LANES = 32;

/**
 * @internal
 * Whether a lane has enough registers for 8 x 8 sums. With the 16 lanes that Dawn asks Intel's GPUs for, it has not: nine of ten
 * instructions of the inner loop would spill. With 8 lanes it has twice as many registers, and 81 % of the instructions are
 * multiply-adds. If the lanes are unknown, the answer is no: 4 x 4 loses less on a GPU with many lanes than 8 x 8 on one with few.
 */
export const hasRegisters = ({ minLanes, takesFewLanes = false }: GemmTraits): boolean =>
  takesFewLanes || minLanes >= MANY_LANES;

/** @internal Returns the lanes that a kernel asks for, or undefined to leave them to the driver. */
export function lanesFor(traits: GemmTraits, { family, block }: GemmVariant): number | undefined {
  const { askedLanes, takesFewLanes, minLanes } = traits;
  if (family.startsWith('matrix')) return askedLanes;
  return block === 8 && takesFewLanes && minLanes < MANY_LANES ? FEW_LANES : undefined;
}

const runsOn = ({ maxInvocations }: GemmTraits, tile: Tile): boolean =>
  !tile.block || invocationsOf('workgroup', tile) <= maxInvocations;

const SPLITS = [1, 2, 4, 8, 16, 32, 64];

/** Whether a split of k may gain: 512 workgroups fill every device, and a part needs at least two rounds. */
const mayGain = (parts: number, k: number, tiles: number): boolean =>
  parts === 1 || (k / parts >= 2 * K_STEP && tiles * parts <= 512);

/** Whether a tile may gain: one that is twice as large as the result, or larger, is mostly empty. */
const isUseful = ({ rows, columns }: Tile, m: number, n: number): boolean =>
  rows < 2 * Math.max(m, 32) && columns < 2 * Math.max(n, 32);

/** @internal Returns the variants worth measuring for these sizes: every useful tile of every family, split along k or not. */
export function listVariants(traits: GemmTraits, m: number, n: number, k: number): GemmVariant[] {
  const usual = chooseVariant(traits, m, n, k);
  const single: GemmVariant['family'][] = ['workgroup', 'plain', ...(traits.lanes >= 8 ? (['subgroup'] as const) : [])];
  // Other families are used only on request, and then for every multiplication.
  const families = single.includes(usual.family) ? single : [usual.family];
  const all = families.flatMap((family) =>
    TABLE[family].tiles
      .filter((tile) => runsOn(traits, tile) && isUseful(tile, m, n))
      .flatMap((tile) =>
        SPLITS.filter((parts) => mayGain(parts, k, tilesOf(m, n, tile.rows, tile.columns))).map((splitK) =>
          variantOf(family, tile, splitK),
        ),
      ),
  );
  // The table lists a tile twice if there are two reasons for it.
  return [...new Map([usual, ...all].map((variant) => [JSON.stringify(variant), variant])).values()];
}

/** @internal Whether no round reaches beyond k, so that loaders need no check for its end. */
export const isWhole = (k: number): boolean => k % K_STEP === 0;

/** @internal Returns the steps of k in each of `parts` parts; the last part may have fewer. */
export const kPerPart = (k: number, parts: number): number => K_STEP * Math.ceil(k / Math.max(1, parts) / K_STEP);

/** @internal Returns the number of tiles that cover [m, n]. */
export const tilesOf = (m: number, n: number, rows: number, columns: number): number =>
  Math.ceil(m / rows) * Math.ceil(n / columns);

/** Returns the invocations of a workgroup. Four subgroups share a tile of subgroup matrices; most GPUs with them have 32 lanes. */
function invocationsOf(family: GemmVariant['family'], { rows, columns, block }: Tile): number {
  if (block) return (rows * columns) / block ** 2;
  return family === 'subgroup' || family === 'plain' ? 8 : 128;
}

/** @internal Returns the values of a GEMM kernel's overrides. */
export function constantsOf(traits: GemmTraits, variant: GemmVariant): Record<string, number> {
  const { family, tileRows: ROWS, tileColumns: COLUMNS, block } = variant;
  if (family === 'plain') return {};
  if (family === 'subgroup') return { ROWS };
  if (block) {
    // The kernels' files define the rows and columns of a panel.
    const panels = { ROW_PANELS: ROWS / (block === 4 ? 8 : 64), COLUMN_PANELS: COLUMNS / (block === 4 ? 32 : 64) };
    const layout = { ROWS, COLUMNS, ...panels, THREADS: (ROWS * COLUMNS) / block ** 2 };
    return lanesFor(traits, variant) ? { ...layout, FEW_LANES: 1 } : layout;
  }
  const { lanes } = traits;
  // Four subgroups load 64 rows and columns, a block of 4 x 4 per lane. A round has 16 steps of k of f32, or 32 of f16.
  return { THREADS: 4 * lanes, AT_ONCE: Math.min(lanes / 4, family === 'matrix-f32-8x8x8' ? 4 : 8) };
}
