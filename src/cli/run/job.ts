import type { HostImages } from '../../data/dataset.ts';
import type { Method, TrainingOptions } from '../../train/options.ts';
import type { TrainingData } from '../../train/trainingData.ts';
import type { Context } from '../context.ts';
import { asUsage, UsageError } from '../errors.ts';
import { type TrainFlags, trainingOptions } from '../flags.ts';
import { classes } from '../show/format.ts';
import {
  type Asked,
  checkClasses,
  checkImages,
  checkSameSize,
  checkTestSet,
  chosen,
  classList,
  countClasses,
  first,
} from './checks.ts';
import type { RunConfig } from './config.ts';
import { RunFolder } from './folder.ts';

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
  checkpointEvery: number;
  perClassEval: boolean;
  detectAnomaly: boolean;
  out: string | undefined;
  /** The run in `out` that this goes on with. */
  resume?: RunConfig;
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

  const numClasses = countClasses(flags.source, wholeSource);
  checkImages(`--source ${flags.source}`, wholeSource);
  checkClasses('--source-classes', sourceClasses, numClasses, "the source's");
  checkClasses('--target-classes', targetClasses, numClasses, "the source's");
  if (sourceClasses && targetClasses && !targetClasses.some((c) => sourceClasses.includes(c)))
    throw new UsageError(
      `--target-classes: none of ${classes(targetClasses)} is among ${classes(sourceClasses)} of --source-classes; nothing can be learnt for them`,
    );
  for (const [asked, digits] of [
    [askedSourceTest, sourceTest],
    [askedTargetTest, targetTest],
  ] as const) {
    if (asked && digits) checkTestSet(asked, digits, numClasses, 'the source');
  }
  const sized = [
    [`--target ${flags.target}`, wholeTarget],
    [`${askedSourceTest?.flag} ${askedSourceTest?.name}`, sourceTest],
    [`${askedTargetTest?.flag} ${askedTargetTest?.name}`, targetTest],
  ] as const;
  for (const [what, digits] of sized) if (digits) checkSameSize(what, digits, flags.source, wholeSource);

  const source = await chosen('--source-classes', first(wholeSource, flags.sourceLimit), sourceClasses);
  const target = await chosen('--target-classes', first(wholeTarget, flags.targetLimit), targetClasses);
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
  if (flags.out) RunFolder.prepare(flags.out, flags.resume === undefined ? '--out' : '--resume');
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
    sourceTest: sourceTest && (await chosen('--source-test', sourceTest, sourceClasses)),
    targetTest: targetTest && (await chosen('--target-test', targetTest, targetClasses)),
    methods,
    seeds: flags.seeds ?? [flags.seed],
    options,
    printFreq: flags.printFreq,
    evalFreq: flags.evalFreq,
    checkpointEvery: flags.checkpointEvery,
    perClassEval: flags.perClassEval === true,
    detectAnomaly: flags.detectAnomaly === true,
    out: flags.out,
  };
}

/** The set to test on: the one asked for, or the own test split of a data set that has one. */
function testSet(flag: string, name: string, testFlag: string, asked: string | undefined): Asked | undefined {
  if (asked !== undefined) return { flag: testFlag, name: asked, split: 'test' };
  return name.startsWith('idx:') ? undefined : { flag, name, split: 'test' };
}
