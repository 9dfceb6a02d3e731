// Loads the source or the target of a run as flags name it: its training examples and its test set, with the classes that are kept.
import type { HostData } from '../../data/host.ts';
import { matchClasses } from '../../data/readers/names.ts';
import { limit, parseClasses, selectClasses } from '../../data/subset.ts';
import { hasSplits, type ReadingWatch, resolveData, type Split } from '../data.ts';
import { asUsage } from '../errors.ts';
import { dataOptions, type TrainFlags } from '../flags.ts';

/** The data of one domain. */
export interface Side {
  /** The flag and the name, for errors. */
  title: string;
  /** All training examples, before the limit and the choice of classes. */
  all: HostData;
  train: HostData;
  test: HostData | undefined;
  testTitle: string;
  testName: string | null;
  classes: number[] | null;
}

/** Returns a function that loads the data of a domain. Its default test set is the test split of a data set that has one. */
export function sideLoader(flags: TrainFlags, reading: ReadingWatch) {
  const { labels, ...shared } = dataOptions(flags);
  return async (side: 'source' | 'target', names?: readonly string[]): Promise<Side> => {
    const load = (title: string, name: string, split: Split) =>
      asUsage(title, async () => {
        // Only the source, one of four data sets, needs labels.
        const options =
          split === 'test' ? shared : side === 'source' ? { ...shared, labels } : { ...shared, mayLackLabels: true };
        const data = await resolveData(name, split, options, reading);
        return names ? matchClasses(data, names) : data;
      });
    const name = flags[side];
    const title = `--${side} ${name}`;
    const all = await load(title, name, 'train');
    const listed = flags[`${side}Classes`];
    const classes = await parseList(`--${side}-classes`, listed, names ?? all.classNames);
    const train = await select(`--${side}-classes`, first(all, flags[`${side}Limit`]), classes);
    const given = flags[`${side}Test`];
    const testName = given ?? (hasSplits(name) ? name : null);
    const testTitle = given === undefined ? title : `--${side}-test ${given}`;
    const whole = testName === null ? undefined : await load(testTitle, testName, 'test');
    const test = whole && (await select(testTitle, names ? whole : named(whole, all), classes));
    return { title, all, train, test, testTitle, testName, classes };
  };
}

/** Numbers the source's test set as its training set. */
const named = (test: HostData, { classNames }: HostData): HostData =>
  classNames ? matchClasses(test, classNames) : test;

/** Parses the classes that a flag lists, by name or number; null without the flag. */
export const parseList = (
  flag: string,
  listed: string | readonly number[] | undefined,
  names: readonly string[] = [],
): Promise<number[] | null> =>
  asUsage(flag, () => {
    if (listed === undefined) return null;
    if (typeof listed !== 'string') return [...listed];
    // A name may contain a comma or a hyphen; the rest are numbers.
    const parts = names.includes(listed) ? [listed] : listed.split(',');
    const numbers = parts.flatMap((part) =>
      names.includes(part.trim()) ? [names.indexOf(part.trim())] : parseClasses(part),
    );
    return [...new Set(numbers)].sort((a, b) => a - b);
  });

/** Returns the examples of the classes that a flag lists, or all. */
export const select = (flag: string, data: HostData, list: readonly number[] | null): Promise<HostData> =>
  asUsage(flag, () => (list ? selectClasses(data, list) : data));

export const first = (data: HostData, n: number | undefined): HostData => (n === undefined ? data : limit(data, n));
