// Choosing among runs that are saved, without target labels. Accuracies on the target are only reported next to the choice.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type HostData, labelsOf } from '../../data/host.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { asTrained } from '../../train/modelFile.ts';
import { type ChooseOptions, CRITERIA, type Criterion, type Scores, Selector } from '../../train/select.ts';
import { UsageError } from '../errors.ts';
import { flagOf } from '../flagValues.ts';
import { checkFinite, openModel, readModel } from '../model.ts';
import { CONFIG, type RunConfig, readConfig, runsIn, type Task } from './config.ts';
import { finishedRun, MODEL } from './folder.ts';
import type { Job } from './job.ts';

/** A saved run to choose from. */
export interface Candidate {
  folder: string;
  config: RunConfig;
}

/** A run with its scores. Accuracies in percent; null: the target has no labels. */
export type ScoredRun = Omit<Scores, 'name' | 'labels'> & { run: string; targetAccuracy: number | null };

/** The run that a criterion picks, and the points of accuracy that it is below the best. */
export interface Picked {
  run: string;
  targetAccuracy: number | null;
  loses: number | null;
}

/** The scores of all runs and the choice. */
export interface RunSelection {
  by: Criterion;
  selected: string;
  runs: ScoredRun[];
  /** Null if a criterion has no scores. */
  picks: Record<Criterion, Picked | null>;
  /** The best run according to target labels; null without them. */
  best: Picked | null;
  /** The images that target accuracies are of. */
  measuredOn: string | null;
  /** Whether source accuracy and DEV are of training examples, for want of others: too good, but for all runs. */
  onSourceTraining: boolean;
}

/** Lists the runs of some paths: run folders, and folders that hold runs. @throws UsageError for a path without a run */
export async function listCandidates(
  paths: readonly string[],
  leaveOut: (folder: string, reason: string) => void,
): Promise<Candidate[]> {
  const folders = paths.flatMap((path) => {
    const found = existsSync(join(path, CONFIG)) ? [path] : runsIn(path);
    if (found.length === 0)
      throw new UsageError(`${path}: holds no run; pass folders that \`train --out\` has written`);
    return found;
  });
  const candidates: Candidate[] = [];
  for (const folder of new Set(folders)) {
    if (existsSync(join(folder, MODEL))) candidates.push({ folder, config: await readConfig(folder) });
    else leaveOut(folder, 'it has no model yet');
  }
  if (candidates.length < 2)
    throw new UsageError(`select compares runs; pass two or more that are finished, not ${candidates.length}`);
  checkSameTask(candidates);
  return candidates;
}

// Networks may differ, and so may what examples are standardised with.
const FREE = ['arch', 'weights', 'standardize'];

function checkSameTask([first, ...others]: readonly Candidate[]): void {
  const { folder, config } = first!;
  const show = (value: unknown): string => (value === null ? 'not given' : String(value));
  for (const other of others) {
    for (const name of Object.keys(config.task) as (keyof Task)[]) {
      const [a, b] = [config.task[name], other.config.task[name]].map(show);
      if (a === b || FREE.includes(name)) continue;
      throw new UsageError(
        `${flagOf(name)} is ${a} in ${folder} but ${b} in ${other.folder}; select among runs with the same source and target`,
      );
    }
    // Checksums are of standardised vectors.
    if (FREE.some((name) => config.task[name as keyof Task] !== other.config.task[name as keyof Task])) continue;
    for (const side of ['source', 'target'] as const)
      if (config.data[side] !== other.config.data[side])
        throw new UsageError(
          `the ${side} of ${folder} and that of ${other.folder} are different examples; select among runs with the same data`,
        );
  }
}

export interface SelectRunsOptions extends ChooseOptions {
  folders: readonly string[];
  /** Default: agreement-entropy. */
  by?: Criterion;
  /** Called before each run is scored. */
  onRun?(folder: string, done: number): void;
}

/** Scores saved runs on the data of a job, and chooses one. */
export async function selectRuns(gpu: Gpu, job: Job, options: SelectRunsOptions): Promise<RunSelection> {
  const { folders, by = 'agreement-entropy', onRun, ...choose } = options;
  const { source, target } = job.data;
  const data = { target, source, sourceTest: job.sourceTest ?? source };
  const selector = new Selector(gpu, data);
  for (const [i, folder] of folders.entries()) {
    onRun?.(folder, i);
    const saved = await readModel(folder);
    checkFinite(saved);
    const model = openModel(gpu, saved, target);
    // The data of the job that trained the runs is standardised already.
    const record = saved.record && { ...saved.record, ...(job.record.standardize && { standardize: null }) };
    const own = (examples: HostData) => asTrained(examples, record);
    const sets = { target: own(target), source: own(source), sourceTest: own(data.sourceTest) };
    await selector.add(folder, model, sets).finally(() => model.dispose());
  }
  const { scores, picks } = selector.choose(choose);
  // The choice is made. Labels come after it.
  const { accuracies, measuredOn } = accuraciesOf(scores, job);
  const most = Math.max(...accuracies.map((accuracy) => accuracy ?? Number.NaN));
  const picked = (i: number | null): Picked | null => {
    if (i === null) return null;
    const targetAccuracy = accuracies[i]!;
    return { run: folders[i]!, targetAccuracy, loses: targetAccuracy === null ? null : most - targetAccuracy };
  };
  const chosen = picks[by];
  if (chosen === null) throw new UsageError(`--by ${by} needs labelled source examples`);
  return {
    by,
    selected: folders[chosen]!,
    runs: scores.map(({ name: run, labels: _, ...own }, i) => ({ run, ...own, targetAccuracy: accuracies[i]! })),
    picks: Object.fromEntries(CRITERIA.map((name) => [name, picked(picks[name])])) as RunSelection['picks'],
    best: measuredOn === null ? null : picked(accuracies.indexOf(most)),
    measuredOn,
    onSourceTraining: !job.sourceTest,
  };
}

/** The target accuracy of each run: that of its result, or else on the training images. */
function accuraciesOf(
  scores: readonly Scores[],
  { data: { target } }: Job,
): { accuracies: (number | null)[]; measuredOn: string | null } {
  const ofResults = scores.map(({ name }) => finishedRun(name)?.targetAccuracy ?? null);
  if (!ofResults.includes(null)) return { accuracies: ofResults, measuredOn: 'target test set' };
  if (!target.labels) return { accuracies: ofResults.map(() => null), measuredOn: null };
  const truths = labelsOf(target);
  const accuracy = ({ labels }: Scores): number =>
    (100 * labels.reduce((n, label, i) => n + Number(label === truths[i]), 0)) / truths.length;
  return { accuracies: scores.map(accuracy), measuredOn: "target's training set" };
}
