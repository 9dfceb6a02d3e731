// The runs that a command is about to do. Data and options are loaded and checked before the GPU is opened; each error names the
// flag to change.
import { exampleShape, type HostData, isFeatures, labelsOf, nounOf, showExample } from '../../data/host.ts';
import { classNamesOf, matchClasses } from '../../data/readers/names.ts';
import { type DataStatistics, dataStatistics, imageNetStatistics, standardize } from '../../data/standardize.ts';
import { limit, parseClasses, selectClasses } from '../../data/subset.ts';
import { decodeSafetensors, type Safetensors } from '../../io/safetensors.ts';
import type { Classifier } from '../../models/classifier.ts';
import type { ModelFactory } from '../../models/model.ts';
import { defaultModelName, MODELS } from '../../models/named.ts';
import type { ModelName } from '../../models/names.ts';
import { withWeights } from '../../models/weights.ts';
import type { MethodName, RunOptions } from '../../train/methods/named.ts';
import { type ModelRecord, recordOf } from '../../train/modelFile.ts';
import type { TrainingData } from '../../train/options.ts';
import { hasSplits, imageFolder, type ReadingWatch, resolveData, type Split } from '../data.ts';
import { asUsage, UsageError } from '../errors.ts';
import { checkDataFlags, dataOptions, type TrainFlags, trainingOptions } from '../flags.ts';
import { flagOf } from '../flagValues.ts';
import { classes as classList, counted } from '../show/format.ts';
import { CONFIG, changedSides, type RunConfig, type Task, type Watch } from './config.ts';
import { readNamed } from './files.ts';
import { RunFolder } from './folder.ts';

/** The runs of a command: one for each method and seed. */
export interface Job {
  task: Task;
  data: TrainingData;
  model: ModelFactory<Classifier>;
  /** The record in the model's file. */
  record: ModelRecord;
  sourceTest: HostData | undefined;
  targetTest: HostData | undefined;
  /** The options of the runs with each method. */
  options: readonly [RunOptions, ...RunOptions[]];
  seeds: readonly number[];
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
  /** All training examples, before the limit and the choice of classes. */
  all: HostData;
  train: HostData;
  test: HostData | undefined;
  testTitle: string;
  testName: string | null;
  classes: number[] | null;
}

/**
 * Loads the data that the flags name, and checks it and all options.
 *
 * @param methods of the runs; default: the one that the flags name
 * @param resume the config of the run that is resumed
 * @param trains whether it will be trained on; else a few examples of one class are enough. Default: true
 */
export async function prepareJob(
  flags: TrainFlags,
  {
    methods = [flags.method],
    resume,
    reading = {},
    trains = true,
  }: {
    methods?: readonly [MethodName, ...MethodName[]];
    resume?: RunConfig;
    reading?: ReadingWatch;
    trains?: boolean;
  } = {},
): Promise<Job> {
  const [method, ...others] = methods;
  const { batchSize } = trainingOptions({ ...flags, method });
  const load = sideLoader(flags, reading);
  const source = await load('source');
  const { labels, ...shared } = flags;
  checkDataFlags({ labels }, flags.source);
  checkDataFlags(shared, flags.source, flags.target, flags.sourceTest, flags.targetTest);
  const numClasses = countClasses(source);
  const classNames = source.all.classNames ?? null;
  const target = await load('target', classNamesOf(source.all, numClasses));

  const shape = exampleShape(source.all);
  const optionsOf = (method: MethodName): RunOptions => trainingOptions({ ...flags, method }, shape);
  const options: Job['options'] = [optionsOf(method), ...others.map(optionsOf)];
  if (flags.geometry === 'canonical' && !(shape.length === 3 && shape[0] === 1))
    throw new UsageError(
      `--geometry canonical is for grey images, but ${source.title} has ${showExample(shape)}; leave it out, or make image files grey with --channels 1`,
    );
  for (const flag of ['sourceJitter', 'targetJitter'] as const)
    if (shape.length !== 3 && (flags[flag] ?? 'none') !== 'none')
      throw new UsageError(
        `${flagOf(flag)} ${flags[flag]} is for images, but ${source.title} has ${showExample(shape)}; leave it out`,
      );
  const arch = flags.arch ?? defaultModelName(shape);
  checkExamples(source.title, source.all, arch);
  if (trains) checkTrainable(source, target, batchSize);
  for (const [flag, { title, classes, train, test, testTitle }] of Object.entries({ source, target })) {
    checkClasses(`--${flag}-classes`, classes, numClasses, "the source's");
    checkSameShape(title, train, source);
    if (test) checkSameShape(testTitle, test, source);
    if (test) checkTestSet(testTitle, test, numClasses, 'the source');
  }
  if (source.classes && target.classes && !target.classes.some((c) => source.classes!.includes(c)))
    throw new UsageError(
      `--target-classes ${classList(target.classes)} has no class in common with --source-classes ${classList(source.classes)}`,
    );
  if (trains) warnOfGround({ source, target }, options, reading);
  const weights = flags.weights === undefined ? undefined : await readWeights(flags.weights);
  const statistics = statisticsFor(flags, { train: source.train, weights, reading });
  const scaled = <Data extends HostData | undefined>(data: Data): Data =>
    data && statistics ? standardize(data, statistics) : data;
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
      imageSize: flags.imageSize ?? null,
      resize: flags.resize ?? null,
      channels: flags.channels ?? null,
      skipUnreadable: flags.skipUnreadable ?? null,
      labels: flags.labels ?? null,
      labelColumn: flags.labelColumn ?? null,
      root: flags.root ?? null,
      arch,
      weights: flags.weights ?? null,
      standardize: flags.standardize ?? null,
      numClasses,
    },
    data: { source: scaled(source.train), target: scaled(target.train), numClasses },
    model: weights ? withWeights(MODELS[arch], weights.tensors) : MODELS[arch],
    record: { arch, shape, classNames, resize: flags.resize ?? null, standardize: statistics },
    sourceTest: scaled(source.test),
    targetTest: scaled(target.test),
    options,
    seeds: flags.seeds ?? [flags.seed],
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
  const [changed] = changedSides(data, config);
  if (changed)
    throw new UsageError(
      `--resume ${out}: the data in ${task[changed]} has changed since the run started; restore it to resume`,
    );
  if (task.numClasses !== config.task.numClasses)
    throw new UsageError(
      `--resume ${out}: task.numClasses is ${config.task.numClasses} in ${CONFIG}, but ${task.source} has ${task.numClasses} classes; correct ${CONFIG}`,
    );
}

/** Returns a function that loads the data of a domain. Its default test set is the test split of a data set that has one. */
function sideLoader(flags: TrainFlags, reading: ReadingWatch) {
  const { labels, ...shared } = dataOptions(flags);
  return async (side: 'source' | 'target', names?: readonly string[]): Promise<Side> => {
    const load = (title: string, name: string, split: Split) =>
      asUsage(title, async () => {
        // Only the source, one of four data sets, needs labels.
        const options = side === 'source' && split === 'train' ? { ...shared, labels } : shared;
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

/** Reads the weights that a model begins with. @throws UsageError | DataError */
async function readWeights(file: string): Promise<Safetensors> {
  const { bytes } = await asUsage('--weights', () => readNamed(file));
  return decodeSafetensors(bytes, file);
}

/**
 * Returns what the examples of a run are standardised with, as --standardize says; else as those that the weights were trained on.
 *
 * @param options.train the source's training examples
 */
function statisticsFor(
  { standardize, weights: file }: TrainFlags,
  { train, weights, reading }: { train: HostData; weights: Safetensors | undefined; reading: ReadingWatch },
): DataStatistics | null {
  const isRgb = exampleShape(train)[0] === 3 && !isFeatures(train);
  if (standardize === 'source') return dataStatistics(train);
  if (standardize === 'imagenet' && !isRgb)
    throw new UsageError(
      `--standardize imagenet is for colour images, but the source's ${nounOf(train)} are ${showExample(exampleShape(train))}; write --standardize source`,
    );
  if (standardize === 'imagenet') return imageNetStatistics;
  if (standardize === 'none' || !weights) return null;
  const record = recordOf(weights, file!);
  // Files of torchvision have no record, and names without `backbone.`.
  const isTorchvision = isRgb && weights.tensors.has('conv1.weight');
  const statistics = record ? (record.standardize ?? null) : isTorchvision ? imageNetStatistics : null;
  if (record && statistics && record.shape[0] !== exampleShape(train)[0])
    throw new UsageError(
      `--weights ${file}: it was trained on ${showExample(record.shape)}, but the source's ${nounOf(train)} are ${showExample(exampleShape(train))}`,
    );
  if (statistics)
    reading.onNote?.(
      `examples are standardised as ${file} needs (${record ? 'its record' : "ImageNet's mean and deviation"}; --standardize changes that)`,
    );
  return statistics;
}

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

// The smallest share of the classes up to the largest label that must have images. Below it, a label is probably wrong.
const SPARSEST = 1 / 4;

/** Returns the number of classes: that of the source's class names, or one more than its largest label. */
function countClasses({ title, all }: Side): number {
  if (!all.labels) throw new UsageError(`${title}: has no labels; training needs the source's labels`);
  if (all.classNames) return Math.max(2, all.classNames.length);
  const present = [...new Set(labelsOf(all))].sort((a, b) => a - b);
  const largest = present.at(-1)!;
  if (present.length <= SPARSEST * largest)
    throw new UsageError(
      `${title}: label ${largest} is out of range: found ${present.length} classes (${classList(present)}); labels must be numbered from 0`,
    );
  return Math.max(2, largest + 1);
}

/** @throws UsageError for a source of a single class, and for less than a batch */
function checkTrainable(source: Side, target: Side, batchSize: number): void {
  const { title, all, train } = source;
  const [first, ...others] = labelsOf(train);
  if (others.every((label) => label === first))
    throw new UsageError(
      `${title}: all ${counted(train.count, nounOf(train).slice(0, -1))} are of class ${all.classNames?.[first!] ?? first}; a classifier needs two classes or more`,
    );
  for (const { title, train } of [source, target])
    if (train.count < batchSize)
      throw new UsageError(
        `${title}: ${train.count} ${nounOf(train)} are fewer than one batch of ${batchSize}; use --batch-size ${train.count} or less`,
      );
}

// Images whose border is looked at.
const LOOKED_AT = 1000;

/** Warns if images with a bright ground are about to be treated as bright strokes on black. */
function warnOfGround(
  sides: Record<'source' | 'target', Side>,
  options: readonly RunOptions[],
  { onNote }: ReadingWatch,
): void {
  for (const [name, { title, train }] of Object.entries(sides) as ['source' | 'target', Side][]) {
    if (isFeatures(train)) continue;
    const [, height, width] = exampleShape(train) as [number, number, number];
    const pixels = train.images.subarray(0, LOOKED_AT * (train.images.length / train.count));
    const isBorder = (i: number): boolean => {
      const [y, x] = [Math.floor(i / width) % height, i % width];
      return y === 0 || x === 0 || y === height - 1 || x === width - 1;
    };
    const border = Uint8Array.from(pixels).filter((_, i) => isBorder(i));
    if (border.reduce((sum, v) => sum + v, 0) <= 127 * border.length) continue;
    const flags = (own: RunOptions) => [
      ...(own.geometry === 'canonical' ? ['--geometry canonical'] : []),
      ...(own[`${name}Jitter`].startsWith('strong') ? [`${flagOf(`${name}Jitter`)} strong`] : []),
    ];
    const [first] = options.map(flags).filter((list) => list.length > 0);
    if (first)
      onNote?.(
        `${title}: most images have a bright ground, but ${first.join(' and ')} need bright strokes on black; invert the images, or write --geometry none and a jitter such as affine`,
      );
  }
}

export function checkClasses(flag: string, list: readonly number[] | null, numClasses: number, whose: string): void {
  const outside = list?.find((c) => c >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag}: class ${outside} is not among ${whose} classes 0-${numClasses - 1}`);
}

export function checkTestSet(title: string, data: HostData, numClasses: number, whose: string): void {
  if (!data.labels) throw new UsageError(`${title}: has no labels, which a test set needs`);
  const outside = labelsOf(data).find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new UsageError(
      `${title}: label ${outside} is out of range; ${whose} has classes 0-${numClasses - 1}, so leave others out with ${/^--(source|target)/.exec(title)?.[0] ?? '-'}-classes`,
    );
}

function checkSameShape(title: string, data: HostData, { title: sourceTitle, all }: Side): void {
  const [shape, wanted] = [exampleShape(data), exampleShape(all)];
  if (showExample(shape) === showExample(wanted)) return;
  const noun = nounOf(data);
  // Only image files are converted.
  const advice =
    imageFolder(title.replace(/^\S+ /, '')) === undefined ? adviceFor(wanted, shape) : adviceFor(shape, wanted);
  throw new UsageError(
    `${title}: ${noun} are ${showExample(shape)} but those of ${sourceTitle} are ${showExample(wanted)}; ${advice}`,
  );
}

/** Returns which flag gives examples of one shape the other shape. */
export function adviceFor(shape: readonly number[], wanted: readonly number[]): string {
  if (shape.length !== 3 || wanted.length !== 3) return 'all must have the same length';
  const [channels, height, width] = wanted;
  const size = height === width ? `${height}` : `${height}x${width}`;
  const flags = [
    ...(shape[1] === height && shape[2] === width ? [] : [`--image-size ${size}`]),
    ...(shape[0] === channels ? [] : [`--channels ${channels}`]),
  ];
  return `all must have the same size: ${flags.join(' ')} converts image files`;
}

/** @throws UsageError for examples that the network does not accept */
export function checkExamples(what: string, data: HostData, arch: ModelName): void {
  try {
    MODELS[arch].geometry?.check(exampleShape(data));
  } catch (cause) {
    const message = (cause as Error).message.replace(/^\w+: /, '');
    throw new UsageError(`${what}: ${arch}: ${message}`, { cause });
  }
}
