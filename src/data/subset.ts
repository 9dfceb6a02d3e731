import { type Check, checkValue, wholeFrom } from '../checks/options.ts';
import { checkImages, type HostImages } from './dataset.ts';

// Labels are bytes.
const LARGEST = 255;

/**
 * Parses a list of classes such as `0,3,7` or `0-4`. Returns them in ascending order, each once.
 *
 * @throws RangeError if the text is no such list, or if a class is above 255
 */
export function parseClasses(text: string): number[] {
  const listed = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?$/.exec(part) ?? [];
    if (first === undefined)
      throw new RangeError(`'${part}' in '${text}' is no class; write numbers and ranges, such as 0-4 or 0,3,7`);
    const [from, to] = [Number(first), Number(last)];
    if (from > to) throw new RangeError(`the range ${part.trim()} runs backwards; write ${to}-${from}`);
    if (to > LARGEST) throw new RangeError(`classes are at most ${LARGEST}, but '${text}' has ${to}`);
    for (let c = from; c <= to; c++) listed.add(c);
  }
  return [...listed].sort((a, b) => a - b);
}

const label = wholeFrom(0);
const numbers: Check = {
  wanted: "an array of classes, such as [0, 1] or parseClasses('0-1')",
  holds: (value) => Array.isArray(value) && value.every(label.holds),
};

/**
 * Returns the images of some classes, in their order and with their labels.
 *
 * @throws TypeError if there are no labels, or if the classes are not an array of whole numbers
 * @throws RangeError if no image is of these classes
 */
export function selectClasses(all: HostImages, classes: readonly number[]): HostImages {
  const { images, labels, count, height, width } = all;
  if (!labels) throw new TypeError('the images have no labels to choose classes by; leave the choice out');
  checkImages('selectClasses', all, true);
  checkValue('selectClasses', 'classes', classes, numbers);
  const wanted = new Set(classes);
  const size = height * width;
  const chosen = labels.filter((label) => wanted.has(label));
  if (chosen.length === 0)
    throw new RangeError(`none of ${count} images is of class ${classes.join(' or ')}; choose classes that occur`);
  const kept = new Uint8Array(chosen.length * size);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (!wanted.has(labels[i]!)) continue;
    kept.set(images.subarray(i * size, (i + 1) * size), at);
    at += size;
  }
  return { images: kept, labels: chosen, count: chosen.length, height, width };
}

/** Returns the first `n` images, or all if there are fewer. They are views, not copies. */
export function limit(all: HostImages, n: number): HostImages {
  checkImages('limit', all, false);
  checkValue('limit', 'n', n, wholeFrom(1));
  const { images, labels, height, width } = all;
  const count = Math.min(n, all.count);
  return {
    images: images.subarray(0, count * height * width),
    ...(labels && { labels: labels.subarray(0, count) }),
    count,
    height,
    width,
  };
}
