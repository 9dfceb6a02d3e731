import { type Command, InvalidArgumentError, Option } from 'commander';
import { nounOf } from '../../data/host.ts';
import type { Float32MatmulPrecision } from '../../gemm/precision.ts';
import { CRITERIA, type Criterion } from '../../train/select.ts';
import { EXIT } from '../errors.ts';
import { addCommonFlags, type CommonFlags } from '../flags.ts';
import { number } from '../flagValues.ts';
import { withGpu } from '../gpu.ts';
import { changedBareSides, startedFlags } from '../run/config.ts';
import { type Job, prepareJob } from '../run/job.ts';
import {
  type Candidate,
  listCandidates,
  type RunSelection,
  type SelectRunsOptions,
  selectRuns,
} from '../run/selection.ts';
import { counted } from '../show/format.ts';
import { readingNotes } from '../show/report.ts';
import { showSelection } from '../show/selection.ts';
import type { Act, Terminal } from '../show/terminal.ts';

interface Flags extends CommonFlags {
  by: Criterion;
  margin: number;
}

const EXAMPLES = `
Examples:
  padagrad select runs/*
  padagrad train --source folder:shop --target folder:phone --seeds 0-4 --out runs/shop && padagrad select runs/shop`;

/** `padagrad select`: chooses among trained models without target labels. */
export function addSelect(root: Command, act: Act): void {
  const command = root
    .command('select')
    .description('choose the best of several runs without target labels')
    .argument('<runs...>', 'run folders, or folders that hold them')
    .addHelpText('after', EXAMPLES)
    .addOption(
      new Option('--by <criterion>', 'the criterion that chooses').choices(CRITERIA).default('agreement-entropy'),
    )
    .option(
      '--margin <x>',
      'compare runs by entropy if their agreement is within this of the largest',
      atLeastZero,
      0.02,
    );
  addCommonFlags(command).action((runs: string[], flags: Flags) =>
    act((terminal, { by, margin }: Flags) => choose(terminal, runs, { by, margin }))(flags),
  );
}

function atLeastZero(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('It must be at least 0.');
  return value;
}

async function choose(
  terminal: Terminal,
  paths: readonly string[],
  { by, margin }: Pick<Flags, 'by' | 'margin'>,
): Promise<number> {
  const candidates = await listCandidates(paths, (folder, reason) =>
    terminal.warning(`${folder} is left out: ${reason}`),
  );
  const [{ folder, config }] = candidates as [Candidate];
  // Each model's file has the weights, and what its examples are standardised with.
  const { weights: _, ...flags } = startedFlags(config);
  const job = await prepareJob({ ...flags, standardize: 'none' }, { reading: readingNotes(terminal), trains: false });
  for (const side of changedBareSides(job.data, config))
    terminal.warning(
      `the ${side} ${job.task[side]} has changed since ${folder} was trained; scores are of what it is now`,
    );
  const precisions = [...new Set(candidates.map((one) => one.config.options.float32MatmulPrecision))];
  const precision = precisions.length === 1 ? precisions[0]! : 'highest';
  const folders = candidates.map(({ folder }) => folder);
  const selection = await selectAndShow(terminal, job, { folders, by, margin, precision });
  terminal.emit({ event: 'result', margin, ...selection });
  return EXIT.ok;
}

/** Chooses one of several saved runs on the data of a job, and shows the scores. Default precision: that of the job. */
export async function selectAndShow(
  terminal: Terminal,
  job: Job,
  options: Omit<SelectRunsOptions, 'onRun'> & { precision?: Float32MatmulPrecision },
): Promise<RunSelection> {
  const { precision = job.options[0].float32MatmulPrecision, ...choice } = options;
  const { target } = job.data;
  const examples = counted(target.count, `unlabelled ${nounOf(target).slice(0, -1)}`);
  const runs = counted(choice.folders.length, 'run');
  terminal.line(terminal.colors.bold(`selecting among ${runs} by ${examples} of ${job.task.target}`));
  const selection = await withGpu(precision, (gpu) =>
    selectRuns(gpu, job, {
      ...choice,
      onRun: (run, done) => terminal.isLive && terminal.live(`scoring ${run}: ${done + 1} of ${runs}`),
    }),
  );
  terminal.clear();
  showSelection(terminal, selection);
  return selection;
}
