import type { Command } from 'commander';
import { type Context, withGpu } from './context.ts';
import { EXIT } from './errors.ts';
import { addTrainFlags, type TrainFlags } from './flags.ts';
import { METHOD_NAMES, spread } from './format.ts';
import { type Job, prepareJob } from './job.ts';
import { profileJob } from './profile.ts';
import { runJob } from './runs.ts';
import { type RunSummary, type SeedsSummary, summarizeSeeds } from './summary.ts';
import { Terminal } from './terminal.ts';

/** `padagrad train`: adapts a classifier from labelled source images to unlabelled target images. */
export function addTrain(root: Command, context: Context): void {
  const command = root
    .command('train')
    .description('train on labelled source images and adapt to unlabelled target images');
  command.option(
    '--profile [trace]',
    "first time a few iterations kernel by kernel; with a file's name, keep them there as a trace for chrome://tracing",
  );
  addTrainFlags(command).action(async (flags: TrainFlags & { profile?: string | true }) => {
    const terminal = new Terminal(context.stdout, context.stderr, flags.json === true);
    const job = await prepareJob(context, flags);
    const { profile } = flags;
    const runs = await withGpu(context, async (gpu) => {
      if (profile) await profileJob(context, terminal, gpu, job, profile === true ? undefined : profile);
      return runJob(context, terminal, gpu, job);
    });
    const result = resultOf(job, runs);
    if ('runs' in result) terminal.line(seedsLine(result));
    terminal.emit({ event: 'result', ...result });
    setExitCode(context);
  });
}

/** One run's figures, or means over the seeds where several were asked for. */
export const resultOf = (job: Job, runs: readonly RunSummary[]): RunSummary | SeedsSummary =>
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
