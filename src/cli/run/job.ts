import type { HostImages } from '../../data/dataset.ts';
import { limit, parseClasses, selectClasses } from '../../data/subset.ts';
import { smallCnn } from '../../models/smallCnn.ts';
import type { MethodName, RunOptions } from '../../train/methods/named.ts';
import type { TrainingData } from '../../train/options.ts';
import { resolveData, type Split } from '../data.ts';
import { asUsage, UsageError } from '../errors.ts';
import { type TrainFlags, trainingOptions } from '../flags.ts';
import { classes } from '../show/format.ts';
import { CONFIG, checksumOf, type RunConfig, type Task, type Watch } from './config.ts';
import { RunFolder } from './folder.ts';

// What a command is about to do, loaded and checked before the GPU is opened. Each error names the flag to change.

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

/** A set of images and the flag that names it. */
export interface Asked {
  flag: string;
  name: string;
  split: Split;
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
  const sourceClasses = await parseList('--source-classes', flags.sourceClasses);
  const targetClasses = await parseList('--target-classes', flags.targetClasses);

  const wholeSource = await load({ flag: '--source', name: flags.source, split: 'train' });
  const wholeTarget = await load({ flag: '--target', name: flags.target, split: 'train' });
  const askedSourceTest = testSet('--source', flags.source, flags.sourceTest);
  const askedTargetTest = testSet('--target', flags.target, flags.targetTest);
  const sourceTest = askedSourceTest && (await load(askedSourceTest));
  const targetTest = askedTargetTest && (await load(askedTargetTest));

  const numClasses = countClasses(flags.source, wholeSource);
  checkImages(`--source ${flags.source}`, wholeSource);
  checkClasses('--source-classes', sourceClasses, numClasses, "the source's");
  checkClasses('--target-classes', targetClasses, numClasses, "the source's");
  if (sourceClasses && targetClasses && !targetClasses.some((c) => sourceClasses.includes(c)))
    throw new UsageError(
      `--target-classes ${classes(targetClasses)} has no class in common with --source-classes ${classes(sourceClasses)}`,
    );
  if (askedSourceTest) checkTestSet(askedSourceTest, sourceTest!, numClasses, 'the source');
  if (askedTargetTest) checkTestSet(askedTargetTest, targetTest!, numClasses, 'the source');
  for (const [what, images] of [
    [`--target ${flags.target}`, wholeTarget],
    [`${askedSourceTest?.flag} ${askedSourceTest?.name}`, sourceTest],
    [`${askedTargetTest?.flag} ${askedTargetTest?.name}`, targetTest],
  ] as const) {
    if (images && (images.height !== wholeSource.height || images.width !== wholeSource.width))
      throw new UsageError(
        `${what}: images are ${images.height}x${images.width} but those of --source ${flags.source} are ${wholeSource.height}x${wholeSource.width}; all must have the same size`,
      );
  }

  const source = await select('--source-classes', first(wholeSource, flags.sourceLimit), sourceClasses);
  const target = await select('--target-classes', first(wholeTarget, flags.targetLimit), targetClasses);
  for (const [flag, { count }] of Object.entries({ '--source': source, '--target': target })) {
    if (count < options.batchSize)
      throw new UsageError(
        `${flag}: ${count} images are fewer than one batch of ${options.batchSize}; use --batch-size ${count} or less`,
      );
  }
  if (flags.out) RunFolder.prepare(flags.out, resume ? '--resume' : '--out');
  const { printFreq = null, evalFreq, checkpointEvery, perClassEval = false, detectAnomaly = false } = flags;
  const job: Job = {
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
    sourceTest: sourceTest && (await select('--source-test', sourceTest, sourceClasses)),
    targetTest: targetTest && (await select('--target-test', targetTest, targetClasses)),
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

const load = ({ flag, name, split }: Asked): Promise<HostImages> =>
  asUsage(`${flag} ${name}`, () => resolveData(name, split));

/** Returns the test set that was asked for, or the test split of a data set that has one. */
function testSet(flag: string, name: string, asked: string | undefined): Asked | undefined {
  if (asked !== undefined) return { flag: `${flag}-test`, name: asked, split: 'test' };
  return name.startsWith('idx:') ? undefined : { flag, name, split: 'test' };
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
function countClasses(source: string, { labels }: HostImages): number {
  if (!labels) throw new UsageError(`--source ${source}: has no labels; training needs the source's labels`);
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const largest = present.at(-1)!;
  if (present.length <= SPARSEST * largest)
    throw new UsageError(
      `--source ${source}: label ${largest} is out of range: found ${present.length} classes (${classes(present)}); labels must be numbered from 0`,
    );
  return Math.max(2, largest + 1);
}

export function checkClasses(flag: string, list: readonly number[] | null, numClasses: number, whose: string): void {
  const outside = list?.find((c) => c >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag}: class ${outside} is not among ${whose} classes 0-${numClasses - 1}`);
}

export function checkTestSet({ flag, name }: Asked, { labels }: HostImages, numClasses: number, whose: string): void {
  if (!labels) throw new UsageError(`${flag} ${name}: has no labels, which a test set needs`);
  const outside = labels.find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag} ${name}: label ${outside} is out of range; ${whose} has classes 0-${numClasses - 1}`);
}

/** @throws UsageError for images that the network does not accept */
export function checkImages(what: string, { height, width }: HostImages): void {
  try {
    smallCnn.geometry.check({ inChannels: 1, height, width });
  } catch (cause) {
    throw new UsageError((cause as Error).message.replace('SmallCnn', what), { cause });
  }
}
