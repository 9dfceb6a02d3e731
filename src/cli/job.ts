import type { HostImages } from '../data/dataset.ts';
import { limit, parseClasses, selectClasses } from '../data/subset.ts';
import type { Method, TrainingOptions } from '../train/options.ts';
import type { TrainingData } from '../train/training.ts';
import type { Context, Split } from './context.ts';
import { asUsage, UsageError } from './errors.ts';
import { type TrainFlags, trainingOptions } from './flags.ts';
import { RunFolder } from './runFolder.ts';

/** Which images a run is about, by the names they were asked for; null where nothing was said. */
export interface Task {
  source: string;
  target: string;
  sourceClasses: readonly number[] | null;
  targetClasses: readonly number[] | null;
  sourceLimit: number | null;
  targetLimit: number | null;
  sourceTest: string | null;
  targetTest: string | null;
  numClasses: number;
}

/** All that a command is to train, checked and loaded. */
export interface Job {
  task: Task;
  data: TrainingData;
  sourceTest: HostImages | undefined;
  targetTest: HostImages | undefined;
  methods: readonly Method[];
  seeds: readonly number[];
  /** Of every run, but for its method and seed. */
  options: TrainingOptions;
  printFreq: number | undefined;
  evalFreq: number;
  perClassEval: boolean;
  out: string | undefined;
}

interface Asked {
  flag: string;
  name: string;
  split: Split;
}

/** Checks the flags and loads the data. @throws UsageError before any GPU was asked for */
export async function prepareJob(
  context: Context,
  flags: TrainFlags,
  methods: readonly Method[] = [flags.method],
): Promise<Job> {
  const options = trainingOptions(flags);
  const sourceClasses = await classList('--source-classes', flags.sourceClasses);
  const targetClasses = await classList('--target-classes', flags.targetClasses);
  const load = ({ flag, name, split }: Asked): Promise<HostImages> =>
    asUsage(`${flag} ${name}`, () => context.resolveData(name, split));

  const wholeSource = await load({ flag: '--source', name: flags.source, split: 'train' });
  const wholeTarget = await load({ flag: '--target', name: flags.target, split: 'train' });
  const askedSourceTest = testSet('--source', flags.source, '--source-test', flags.sourceTest);
  const askedTargetTest = testSet('--target', flags.target, '--target-test', flags.targetTest);
  const sourceTest = askedSourceTest && (await load(askedSourceTest));
  const targetTest = askedTargetTest && (await load(askedTargetTest));

  if (!wholeSource.labels) throw new UsageError(`--source ${flags.source}: has no labels; training needs the source's`);
  const numClasses = Math.max(2, wholeSource.labels.reduce((most, label) => Math.max(most, label), 0) + 1);
  checkClasses('--source-classes', sourceClasses, numClasses);
  checkClasses('--target-classes', targetClasses, numClasses);
  for (const [asked, digits] of [
    [askedSourceTest, sourceTest],
    [askedTargetTest, targetTest],
  ] as const) {
    if (asked && digits) checkTestSet(asked, digits, numClasses);
  }
  const sized = [
    [`--target ${flags.target}`, wholeTarget],
    [`${askedSourceTest?.flag} ${askedSourceTest?.name}`, sourceTest],
    [`${askedTargetTest?.flag} ${askedTargetTest?.name}`, targetTest],
  ] as const;
  for (const [what, digits] of sized) if (digits) checkSize(what, digits, flags.source, wholeSource);

  const subset = (flag: string, digits: HostImages, list: number[] | null): Promise<HostImages> =>
    asUsage(flag, () => (list ? selectClasses(digits, list) : digits));
  const first = (digits: HostImages, n: number | undefined): HostImages =>
    n === undefined ? digits : limit(digits, n);
  const source = await subset('--source-classes', first(wholeSource, flags.sourceLimit), sourceClasses);
  const target = await subset('--target-classes', first(wholeTarget, flags.targetLimit), targetClasses);
  for (const [flag, digits] of [
    ['--source', source],
    ['--target', target],
  ] as const) {
    if (digits.count < options.batchSize) {
      throw new UsageError(
        `${flag}: ${digits.count} images do not fill a batch; give more of them, or a --batch-size below ${options.batchSize}`,
      );
    }
  }
  if (flags.out) RunFolder.prepare(flags.out);
  return {
    task: {
      source: flags.source,
      target: flags.target,
      sourceClasses,
      targetClasses,
      sourceLimit: flags.sourceLimit ?? null,
      targetLimit: flags.targetLimit ?? null,
      sourceTest: askedSourceTest?.name ?? null,
      targetTest: askedTargetTest?.name ?? null,
      numClasses,
    },
    data: { source, target, numClasses },
    sourceTest: sourceTest && (await subset('--source-test', sourceTest, sourceClasses)),
    targetTest: targetTest && (await subset('--target-test', targetTest, targetClasses)),
    methods,
    seeds: flags.seeds ?? [flags.seed],
    options,
    printFreq: flags.printFreq,
    evalFreq: flags.evalFreq,
    perClassEval: flags.perClassEval === true,
    out: flags.out,
  };
}

/** The set to test on: the one asked for, or the own test split of a data set that has one. */
function testSet(flag: string, name: string, testFlag: string, asked: string | undefined): Asked | undefined {
  if (asked !== undefined) return { flag: testFlag, name: asked, split: 'test' };
  return name.startsWith('idx:') ? undefined : { flag, name, split: 'test' };
}

const classList = (flag: string, text: string | undefined): Promise<number[] | null> =>
  asUsage(flag, () => (text === undefined ? null : parseClasses(text)));

function checkClasses(flag: string, list: readonly number[] | null, numClasses: number): void {
  const outside = list?.find((c) => c >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag}: class ${outside} is not among the source's classes 0-${numClasses - 1}`);
}

function checkTestSet({ flag, name }: Asked, { labels }: HostImages, numClasses: number): void {
  if (!labels) throw new UsageError(`${flag} ${name}: has no labels to test on`);
  const outside = labels.find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new UsageError(
      `${flag} ${name}: label ${outside} is out of range; the source has classes 0-${numClasses - 1}`,
    );
}

function checkSize(what: string, { height, width }: HostImages, sourceName: string, source: HostImages): void {
  if (height === source.height && width === source.width) return;
  throw new UsageError(
    `${what}: images are ${height}x${width} but those of --source ${sourceName} are ${source.height}x${source.width}; make them equal`,
  );
}
