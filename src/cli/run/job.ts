import { exampleShape, type HostImages, labelsOf, showExample } from '../../data/host.ts';
import { limit, parseClasses, selectClasses } from '../../data/subset.ts';
import { smallCnn } from '../../models/smallCnn.ts';
import type { MethodName, RunOptions } from '../../train/methods/named.ts';
import type { TrainingData } from '../../train/options.ts';
import { resolveData, type Split } from '../data.ts';
import { asUsage, UsageError } from '../errors.ts';
import { type TrainFlags, trainingOptions } from '../flags.ts';
import { classes as classNames } from '../show/format.ts';
import { CONFIG, checksumOf, type RunConfig, type Task, type Watch } from './config.ts';
import { RunFolder } from './folder.ts';

// The runs that a command is about to do. Data and options are loaded and checked before the GPU is opened; each error names the
// flag to change.

/** The runs of a command: one for each method and seed. */
export interface Job {
  task: Task;
  data: TrainingData;
  sourceTest: HostImages | undefined;
  targetTest: HostImages | undefined;
  methods: readonly MethodName[];
  seeds: readonly number[];
  /** The options of all runs. Method and seed differ from run to run. */
  options: RunOptions;
  watch: Watch;
  detectAnomaly: boolean;
  out: string | undefined;
  /** The run in `out` that is resumed. */
  resume?: RunConfig;
}

/** The data of one domain. */
interface Side {
  /** The flag and the name, for errors. */
  title: string;
  /** All training images, before the limit and the choice of classes. */
  all: HostImages;
  train: HostImages;
  test: HostImages | undefined;
  testTitle: string;
  testName: string | null;
  classes: number[] | null;
}

/**
 * Loads the data that the flags name, and checks it and all options.
 *
 * @param methods of the runs; default: the one that the flags name
 * @param resume the config of the run that is resumed
 */
export async function prepareJob(
  flags: TrainFlags,
  { methods = [flags.method], resume }: { methods?: readonly MethodName[]; resume?: RunConfig } = {},
): Promise<Job> {
  const options = trainingOptions(flags);
  const source = await loadSide('source', flags);
  const target = await loadSide('target', flags);

  const numClasses = countClasses(source);
  checkImages(source.title, source.all);
  for (const [flag, { title, classes, train, test, testTitle }] of Object.entries({ source, target })) {
    checkClasses(`--${flag}-classes`, classes, numClasses, "the source's");
    checkSameSize(title, train, source);
    if (test) checkSameSize(testTitle, test, source);
    if (test) checkTestSet(testTitle, test, numClasses, 'the source');
  }
  if (source.classes && target.classes && !target.classes.some((c) => source.classes!.includes(c)))
    throw new UsageError(
      `--target-classes ${classNames(target.classes)} has no class in common with --source-classes ${classNames(source.classes)}`,
    );
  for (const { title, train } of [source, target])
    if (train.count < options.batchSize)
      throw new UsageError(
        `${title}: ${train.count} images are fewer than one batch of ${options.batchSize}; use --batch-size ${train.count} or less`,
      );
  if (flags.out) RunFolder.prepare(flags.out, resume ? '--resume' : '--out');
  const { printFreq = null, evalFreq, checkpointEvery, perClassEval = false, detectAnomaly = false } = flags;
  const job: Job = {
    task: {
      source: flags.source,
      target: flags.target,
      sourceClasses: source.classes,
      targetClasses: target.classes,
      sourceLimit: flags.sourceLimit ?? null,
      targetLimit: flags.targetLimit ?? null,
      sourceTest: source.testName,
      targetTest: target.testName,
      numClasses,
    },
    data: { source: source.train, target: target.train, numClasses },
    sourceTest: source.test,
    targetTest: target.test,
    methods,
    seeds: flags.seeds ?? [flags.seed],
    options,
    watch: { printFreq, evalFreq, checkpointEvery, perClassEval },
    detectAnomaly,
    out: flags.out,
    ...(resume && { resume }),
  };
  if (resume) checkResumed(job, resume);
  return job;
}

/** @throws UsageError if the data is not what the run began with */
function checkResumed({ data, task, out }: Job, config: RunConfig): void {
  for (const side of ['source', 'target'] as const) {
    if (checksumOf(data[side]) !== config.data[side])
      throw new UsageError(
        `--resume ${out}: the data in ${task[side]} has changed since the run started; restore it to resume`,
      );
  }
  if (task.numClasses !== config.task.numClasses)
    throw new UsageError(
      `--resume ${out}: task.numClasses is ${config.task.numClasses} in ${CONFIG}, but ${task.source} has ${task.numClasses} classes; correct ${CONFIG}`,
    );
}

/** Loads the data of a domain. Its default test set is the test split of a data set that has one. */
async function loadSide(side: 'source' | 'target', flags: TrainFlags): Promise<Side> {
  const load = (title: string, name: string, split: Split) => asUsage(title, () => resolveData(name, split));
  const name = flags[side];
  const title = `--${side} ${name}`;
  const classes = await parseList(`--${side}-classes`, flags[`${side}Classes`]);
  const all = await load(title, name, 'train');
  const train = await select(`--${side}-classes`, first(all, flags[`${side}Limit`]), classes);
  const given = flags[`${side}Test`];
  const testName = given ?? (name.startsWith('idx:') ? null : name);
  const testTitle = given === undefined ? title : `--${side}-test ${given}`;
  const test = testName === null ? undefined : await load(testTitle, testName, 'test');
  return { title, all, train, test: test && (await select(testTitle, test, classes)), testTitle, testName, classes };
}

/** Parses the classes that a flag lists; null without the flag. */
export const parseList = (flag: string, text: string | undefined): Promise<number[] | null> =>
  asUsage(flag, () => (text === undefined ? null : parseClasses(text)));

/** Returns the images of the classes that a flag lists, or all images. */
export const select = (flag: string, images: HostImages, list: readonly number[] | null): Promise<HostImages> =>
  asUsage(flag, () => (list ? selectClasses(images, list) : images));

export const first = (images: HostImages, n: number | undefined): HostImages =>
  n === undefined ? images : limit(images, n);

// The smallest share of the classes up to the largest label that must have images. Below it, a label is probably wrong.
const SPARSEST = 1 / 4;

/** Returns the number of classes: one more than the source's largest label. */
function countClasses({ title, all }: Side): number {
  if (!all.labels) throw new UsageError(`${title}: has no labels; training needs the source's labels`);
  const present = [...new Set(labelsOf(all))].sort((a, b) => a - b);
  const largest = present.at(-1)!;
  if (present.length <= SPARSEST * largest)
    throw new UsageError(
      `${title}: label ${largest} is out of range: found ${present.length} classes (${classNames(present)}); labels must be numbered from 0`,
    );
  return Math.max(2, largest + 1);
}

export function checkClasses(flag: string, list: readonly number[] | null, numClasses: number, whose: string): void {
  const outside = list?.find((c) => c >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag}: class ${outside} is not among ${whose} classes 0-${numClasses - 1}`);
}

export function checkTestSet(title: string, images: HostImages, numClasses: number, whose: string): void {
  if (!images.labels) throw new UsageError(`${title}: has no labels, which a test set needs`);
  const outside = labelsOf(images).find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${title}: label ${outside} is out of range; ${whose} has classes 0-${numClasses - 1}`);
}

function checkSameSize(title: string, images: HostImages, { title: sourceTitle, all }: Side): void {
  const [size, wanted] = [images, all].map((of) => showExample(exampleShape(of)));
  if (size === wanted) return;
  throw new UsageError(
    `${title}: images are ${size} but those of ${sourceTitle} are ${wanted}; all must have the same size`,
  );
}

/** @throws UsageError for images that the network does not accept */
export function checkImages(what: string, images: HostImages): void {
  try {
    smallCnn.geometry.check(exampleShape(images));
  } catch (cause) {
    throw new UsageError((cause as Error).message.replace('SmallCnn', what), { cause });
  }
}
