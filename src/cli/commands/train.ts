import type { Command } from 'commander';
import type { Gpu } from '../../gpu/gpu.ts';
import { type Context, withGpu } from '../context.ts';
import { EXIT, UsageError } from '../errors.ts';
import { addTrainFlags, type TrainFlags } from '../flags.ts';
import { readConfig, resumedFlags, resumedJob } from '../run/config.ts';
import { finishedRun } from '../run/folder.ts';
import { type Job, prepareJob } from '../run/job.ts';
import { runJob } from '../run/runs.ts';
import { METHOD_NAMES, spread } from '../show/format.ts';
import { profileJob, writeTrace } from '../show/profile.ts';
import { type RunSummary, type SeedsSummary, summarizeSeeds } from '../show/summary.ts';
import { Terminal } from '../show/terminal.ts';

interface Flags extends TrainFlags {
  profile?: string | true;
}

/** `padagrad train`: adapts a classifier from labelled source images to unlabelled target images. */
export function addTrain(root: Command, context: Context): void {
  const command = root
    .command('train')
    .description('train on labelled source images and adapt to unlabelled target images');
  command.option(
    '--profile [trace]',
    "first time a few iterations kernel by kernel; with a file's name, keep them there as a trace for chrome://tracing",
  );
  command.option('--resume <dir>', 'go on with the run in a folder that --out named, from its newest checkpoint');
  addTrainFlags(command).action(async (flags: Flags) => {
    const terminal = new Terminal(context.stdout, context.stderr, flags.json === true);
    if (flags.resume !== undefined) {
      const finished = finishedRun(flags.resume);
      if (finished) {
        resumedFlags(command, flags, flags.resume, await readConfig(flags.resume));
        terminal.note(`the run in ${flags.resume} is finished; nothing is left to do`);
        terminal.emit({ event: 'result', ...finished });
        return;
      }
    }
    const job = await jobOf(context, command, flags);
    const { profile } = flags;
    if (typeof profile === 'string') writeTrace(profile);
    const train = async (gpu: Gpu): Promise<RunSummary[]> => {
      if (profile) await profileJob(context, terminal, gpu, job, profile === true ? undefined : profile);
      return runJob(context, terminal, gpu, job);
    };
    const runs = await withGpu(context, train, job.options.float32MatmulPrecision);
    const result = resultOf(job, runs);
    if ('runs' in result) terminal.line(seedsLine(result));
    terminal.emit({ event: 'result', ...result });
    setExitCode(context);
  });
}

/** What the flags ask for: a new run, or the rest of one. */
async function jobOf(context: Context, command: Command, flags: Flags): Promise<Job> {
  if (flags.resume !== undefined) {
    const config = await readConfig(flags.resume);
    return resumedJob(await prepareJob(context, resumedFlags(command, flags, flags.resume, config)), config);
  }
  for (const option of command.options.filter(({ long }) => long === '--source' || long === '--target')) {
    if (flags[option.attributeName() as 'source' | 'target'] === undefined)
      throw new UsageError(`required option '${option.flags}' not specified`);
  }
  return prepareJob(context, flags);
}

/** One run's figures, or means over the seeds where several were asked for. */
const resultOf = (job: Job, runs: readonly RunSummary[]): RunSummary | SeedsSummary =>
  job.seeds.length > 1 ? summarizeSeeds(runs) : runs[0]!;

/** Several seeds in a line: mean and deviation. */
export function seedsLine(result: SeedsSummary): string {
  const each = result.runs.map((run) => run.targetAccuracy?.toFixed(1) ?? '-').join(', ');
  const source = spread(result.sourceAccuracy, result.sourceDeviation);
  return `${METHOD_NAMES[result.method]}, seeds ${result.seeds.join(', ')}: target accuracy ${spread(result.targetAccuracy, result.targetDeviation)} (${each}), source accuracy ${source}; mean (deviation) in percent`;
}

/** An interrupted command says so by its exit code. */
export function setExitCode(context: Context): void {
  const { aborted, reason } = context.interruptible();
  if (aborted) context.exitCode = reason === 'SIGTERM' ? EXIT.SIGTERM : EXIT.SIGINT;
}
