// The runs that a command is about to do. Data and options are loaded and checked before the GPU is opened; each error names the
// flag to change.
import { exampleShape, type HostData, isFeatures, nounOf, showExample } from '../../data/host.ts';
import { classNamesOf } from '../../data/readers/names.ts';
import { type DataStatistics, dataStatistics, imageNetStatistics, standardize } from '../../data/standardize.ts';
import { decodeSafetensors, type Safetensors } from '../../io/safetensors.ts';
import type { Classifier } from '../../models/classifier.ts';
import type { ModelFactory } from '../../models/model.ts';
import { defaultModelName, MODELS } from '../../models/named.ts';
import { withWeights } from '../../models/weights.ts';
import type { MethodName, RunOptions } from '../../train/methods/named.ts';
import { type ModelRecord, recordOf } from '../../train/modelFile.ts';
import type { TrainingData } from '../../train/options.ts';
import type { ReadingWatch } from '../data.ts';
import { asUsage, UsageError } from '../errors.ts';
import { checkDataFlags, type TrainFlags, trainingOptions } from '../flags.ts';
import { CONFIG, changedSides, type RunConfig, type Task, type Watch } from './config.ts';
import {
  checkExamples,
  checkImageFlags,
  checkSides,
  checkTrainable,
  countClasses,
  warnOfAbsentClasses,
  warnOfGround,
} from './dataChecks.ts';
import { readNamed } from './files.ts';
import { RunFolder } from './folder.ts';
import { sideLoader } from './side.ts';

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
  // 1. Load both domains. Classes of the target get the numbers of the source's.
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

  // 2. Complete the options for examples of this shape, and check both against each other.
  const shape = exampleShape(source.all);
  const optionsOf = (method: MethodName): RunOptions => trainingOptions({ ...flags, method }, shape);
  const options: Job['options'] = [optionsOf(method), ...others.map(optionsOf)];
  checkImageFlags(flags, source.title, shape);
  const arch = flags.arch ?? defaultModelName(shape);
  checkExamples(source.title, source.all, arch);
  if (trains) checkTrainable(source, target, batchSize);
  checkSides(source, target, numClasses);
  if (trains) {
    warnOfAbsentClasses(source, numClasses, reading);
    warnOfGround({ source, target }, options, reading);
  }

  // 3. Read the weights that the network begins with, which may decide how examples are standardised.
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
