import { type HostData, labelsOf } from '../host.ts';

/** Labels, and the names of the classes if the labels are names. */
export interface NumberedClasses {
  labels: Uint32Array;
  classNames?: string[];
}

/**
 * Numbers classes. Texts such as 0, 1, 2 are labels already; other names are numbered in the order of the alphabet, and so are
 * numbers with large gaps, such as years.
 */
export function numberClasses(texts: readonly string[]): NumberedClasses {
  const classNames = [...new Set(texts)].sort();
  const isNumber = (text: string): boolean => /^(0|[1-9]\d{0,4})$/.test(text);
  if (texts.every(isNumber) && Math.max(...classNames.map(Number)) < FEWEST * classNames.length)
    return { labels: Uint32Array.from(texts, Number) };
  const numbers = new Map(classNames.map((name, i) => [name, i]));
  return { labels: Uint32Array.from(texts, (text) => numbers.get(text)!), classNames };
}

// Numbers are labels if at least one of this many occurs.
const FEWEST = 4;

/** Returns the names of classes 0 to n - 1: those of the data, else their numbers. */
export const classNamesOf = ({ classNames }: HostData, n: number): readonly string[] =>
  classNames ?? Array.from({ length: n }, (_, i) => String(i));

/**
 * Numbers the labels of a set by the class names of another, the source's. Numbers match names that are these numbers.
 *
 * @throws RangeError for a class that the other set lacks
 */
export function matchClasses<Data extends HostData>(data: Data, names: readonly string[]): Data {
  const areNumbers = names.every((name, i) => name === String(i));
  if (!data.labels || (!data.classNames && areNumbers)) return data;
  const labels = labelsOf(data);
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const nameOf = (label: number): string => data.classNames?.[label] ?? String(label);
  const missing = present.map(nameOf).filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw new RangeError(
      `${listed(missing)} ${missing.length > 1 ? 'are not classes' : 'is not a class'} of the source, which are ${listed(names)}; give equal classes equal names, or leave the others out`,
    );
  const { classNames: _, ...rest } = data;
  const matched = { ...(rest as Data), labels: labels.map((label) => names.indexOf(nameOf(label))) };
  return data.classNames ? { ...matched, classNames: names } : matched;
}

// The most names in a message.
const LISTED = 8;

const listed = (names: readonly string[]): string =>
  names.slice(0, LISTED).join(', ') + (names.length > LISTED ? ', ...' : '');
