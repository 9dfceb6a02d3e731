import type { HostImages } from '../../data/dataset.ts';
import { limit, parseClasses, selectClasses } from '../../data/subset.ts';
import type { Split } from '../context.ts';
import { asUsage, UsageError } from '../errors.ts';
import { classes } from '../show/format.ts';

// What the command line checks of images before it opens the GPU. Each check names the flag that the user has to change.

/** Images that a flag asks for by a name. */
export interface Asked {
  flag: string;
  name: string;
  split: Split;
}

// Two convolutions of 5x5, each with a pooling of 2, leave one pixel of this.
const SMALLEST_IMAGE = 16;
// Of the classes up to the largest label, one in so many has images, or the label is no class but a fault.
const SPARSEST = 4;

/** The classes that a flag lists; null where it is not given. */
export const classList = (flag: string, text: string | undefined): Promise<number[] | null> =>
  asUsage(flag, () => (text === undefined ? null : parseClasses(text)));

/** The images of the classes that a flag lists, or all. */
export const chosen = (flag: string, digits: HostImages, list: readonly number[] | null): Promise<HostImages> =>
  asUsage(flag, () => (list ? selectClasses(digits, list) : digits));

export const first = (digits: HostImages, n: number | undefined): HostImages =>
  n === undefined ? digits : limit(digits, n);

/** How many classes there are to learn, by the labels of the source. */
export function countClasses(source: string, { labels }: HostImages): number {
  if (!labels) throw new UsageError(`--source ${source}: has no labels; training needs the source's`);
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const largest = present.at(-1)!;
  if (largest >= SPARSEST * present.length)
    throw new UsageError(
      `--source ${source}: label ${largest} is out of range: there are but ${present.length} classes (${classes(present)}); number them from 0`,
    );
  return Math.max(2, largest + 1);
}

/** Classes asked for are among those that are learnt. */
export function checkClasses(flag: string, list: readonly number[] | null, numClasses: number, whose: string): void {
  const outside = list?.find((c) => c >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag}: class ${outside} is not among ${whose} classes 0-${numClasses - 1}`);
}

/** A set to test on has labels, of the classes that are learnt. */
export function checkTestSet({ flag, name }: Asked, { labels }: HostImages, numClasses: number, whose: string): void {
  if (!labels) throw new UsageError(`${flag} ${name}: has no labels to test on`);
  const outside = labels.find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag} ${name}: label ${outside} is out of range; ${whose} has classes 0-${numClasses - 1}`);
}

/** Images are such as the network takes. */
export function checkImages(what: string, { height, width }: HostImages): void {
  if (height === width && height >= SMALLEST_IMAGE) return;
  throw new UsageError(
    `${what}: images are ${height}x${width}; the network takes square ones of ${SMALLEST_IMAGE}x${SMALLEST_IMAGE} or more`,
  );
}

/** Images are as large as the source's. */
export function checkSameSize(
  what: string,
  { height, width }: HostImages,
  sourceName: string,
  source: HostImages,
): void {
  if (height === source.height && width === source.width) return;
  throw new UsageError(
    `${what}: images are ${height}x${width} but those of --source ${sourceName} are ${source.height}x${source.width}; make them equal`,
  );
}
