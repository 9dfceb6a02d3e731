import type { GemmFamily, HalfFamily } from '../gemm/settings.ts';
import type { GemmVariant, GemmVariants } from '../gemm/variants.ts';

const CLASS = /^[\w.]+ \d+x\d+x\d+$/;
const TILES: Readonly<Record<GemmFamily | HalfFamily, readonly number[]>> = {
  subgroup: [16, 32],
  workgroup: [32, 64, 128],
  plain: [32],
  half: [32, 64, 128],
  'matrix-8x8x8': [64],
  'matrix-16x16x16': [64],
  'matrix-8x16x16': [64],
};
// The workgroups that every device takes in one direction.
const MOST_SLICES = 65535;

/** Variants out of JSON. @throws TypeError that names the class, what came and what is allowed */
export function parseVariants(json: unknown): GemmVariants {
  if (!isObject(json)) throw new TypeError(`gemmVariants must be an object but is ${show(json)}`);
  return Object.fromEntries(Object.entries(json).map(([of, variant]) => [of, parseVariant(of, variant)]));
}

function parseVariant(of: string, json: unknown): GemmVariant {
  const refuse = (expected: string): never => {
    throw new TypeError(`gemmVariants: ${show(of)} is ${show(json)}; ${expected}`);
  };
  if (!CLASS.test(of)) refuse('a class is named like "linear 128x128x512"');
  const { family, tile, slices } = (isObject(json) ? json : {}) as Partial<GemmVariant>;
  const tiles = Object.hasOwn(TILES, family as string) ? TILES[family!] : undefined;
  if (!tiles) return refuse(`the family must be one of ${Object.keys(TILES).join(', ')}`);
  if (!tiles.includes(tile!)) refuse(`the tile of ${family} must be one of ${tiles.join(', ')}`);
  if (!(Number.isInteger(slices) && slices! >= 1 && slices! <= MOST_SLICES))
    refuse(`slices must be a whole number from 1 to ${MOST_SLICES}`);
  return { family: family!, tile: tile!, slices: slices! };
}

/** The classes to which two runs gave different variants, or to which one of them gave none. */
export function differingVariants(a: GemmVariants, b: GemmVariants): string[] {
  const classes = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return classes.filter((of) => !sameVariant(a[of], b[of]));
}

/** A variant in words: `subgroup, tile 32, 1 slice`. */
export const describeVariant = (variant: GemmVariant | undefined): string =>
  variant
    ? `${variant.family}, tile ${variant.tile}, ${variant.slices} slice${variant.slices === 1 ? '' : 's'}`
    : 'none';

const sameVariant = (a: GemmVariant | undefined, b: GemmVariant | undefined): boolean =>
  a?.family === b?.family && a?.tile === b?.tile && a?.slices === b?.slices;

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);

const show = (x: unknown): string => (JSON.stringify(x) ?? String(x)).slice(0, 80);
