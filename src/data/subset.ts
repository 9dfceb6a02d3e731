import { type Check, checkValue, wholeFrom } from '../checks/options.ts';
import { sizeOf } from '../shape.ts';
import { checkData, exampleShape, type HostData, isFeatures, labelsOf, nounOf } from './host.ts';

// More classes than any data set has: a larger number is a mistake, and its range would fill the memory.
const LARGEST = 99_999;

/**
 * Parses a list of classes such as `0,3,7` or `0-4`. Returns them in ascending order, each once.
 *
 * @throws RangeError if the text is no such list, or if a class is above 99,999
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
 * Returns the examples of some classes, in their order and with their labels.
 *
 * @throws TypeError if there are no labels, or if the classes are not an array of whole numbers
 * @throws RangeError if no example is of these classes
 */
export function selectClasses<Data extends HostData>(all: Data, classes: readonly number[]): Data {
  if (!all.labels) throw new TypeError(`the ${nounOf(all)} have no labels to choose classes by; leave the choice out`);
  checkData('selectClasses', all, true);
  checkValue('selectClasses', 'classes', classes, numbers);
  const wanted = new Set(classes);
  const labels = labelsOf(all);
  const chosen = Array.from(labels.keys()).filter((i) => wanted.has(labels[i]!));
  if (chosen.length === 0)
    throw new RangeError(
      `none of ${all.count} ${nounOf(all)} is of class ${classes.join(' or ')}; choose classes that occur`,
    );
  return take(all, chosen);
}

/** Returns the first `n` examples, or all if there are fewer. They are views, not copies. */
export function limit<Data extends HostData>(all: Data, n: number): Data {
  checkData('limit', all, false);
  checkValue('limit', 'n', n, wholeFrom(1));
  const { labels, names } = all;
  const count = Math.min(n, all.count);
  const size = sizeOf(exampleShape(all));
  return {
    ...all,
    ...(isFeatures(all)
      ? { features: all.features.subarray(0, count * size) }
      : { images: all.images.subarray(0, count * size) }),
    ...(labels && { labels: labels.subarray(0, count) }),
    ...(names && { names: names.slice(0, count) }),
    count,
  };
}

/** @internal Returns copies of the examples at some places. */
export function take<Data extends HostData>(all: Data, places: readonly number[]): Data {
  const size = sizeOf(exampleShape(all));
  const copied = <Values extends Uint8Array | Uint8ClampedArray | Float32Array>(from: Values, to: Values): Values => {
    for (const [i, place] of places.entries()) to.set(from.subarray(place * size, (place + 1) * size), i * size);
    return to;
  };
  const length = places.length * size;
  const { names } = all;
  const labels = all.labels && labelsOf(all);
  return {
    ...all,
    ...(isFeatures(all)
      ? { features: copied(all.features, new Float32Array(length)) }
      : { images: copied(all.images, new Uint8Array(length)) }),
    ...(labels && { labels: Uint32Array.from(places, (place) => labels[place]!) }),
    ...(names && { names: places.map((place) => names[place]!) }),
    count: places.length,
  };
}
