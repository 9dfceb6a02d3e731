import type { Command } from 'commander';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Method } from '../../train/options.ts';
import { type Context, withGpu } from '../context.ts';
import { describeDevice } from '../device.ts';
import { addTrainFlags, type TrainFlags } from '../flags.ts';
import { type Job, prepareJob } from '../run/job.ts';
import { runJob } from '../run/runs.ts';
import { columns } from '../show/bars.ts';
import { count, counted, duration, METHOD_NAMES, percent, spread } from '../show/format.ts';
import { recordedFigures } from '../show/recorded.ts';
import { compileNotice } from '../show/report.ts';
import { type RunSummary, type SeedsSummary, summarizeSeeds } from '../show/summary.ts';
import { Terminal } from '../show/terminal.ts';
import { seedsLine, setExitCode } from './train.ts';

// The recorded task that these flags are; other flags make another task, with nothing to compare it with.
const TASK = 'fontdigits-mnist';
const PRESET = {
  source: 'fontdigits',
  target: 'mnist',
  targetClasses: '0-4',
  sourceLimit: 6000,
  targetLimit: 6000,
  iterations: 1500,
} as const;
const COMPARED: readonly Method[] = ['source-only', 'dann', 'pada'];

// Where an iteration takes longer than this the adapter is as slow as SwiftShader, and gets what fits into the time.
const SLOW_SECONDS = 0.35;
const SLOW_BUDGET_SECONDS = 240;
const FEWEST_ITERATIONS = 200;

interface StartFlags extends TrainFlags {
  compare?: boolean;
}

/** `padagrad start`: the main job. Printed digits to handwritten ones, of which the target has only 0-4. */
export function addStart(root: Command, context: Context): void {
  const command = root
    .command('start')
    .description('the main job: from printed digits to handwritten ones 0-4, with PADA; takes all flags of train');
  addTrainFlags(command, PRESET).option('--compare', 'source only, DANN and PADA, one after the other');
  command.action(async (flags: StartFlags) => {
    const terminal = new Terminal(context.stdout, context.stderr, flags.json === true);
    if (flags.compare && command.getOptionValueSource('method') === 'cli')
      command.error('--compare runs all methods; leave --method out');
    const asked = await prepareJob(context, flags, flags.compare ? COMPARED : [flags.method]);
    const chosen = command.getOptionValueSource('iterations') === 'cli';
    const train = async (gpu: Gpu): Promise<RunSummary[]> =>
      runJob(context, terminal, gpu, await fit(context, terminal, gpu, asked, chosen));
    const runs = await withGpu(context, train, asked.options.float32MatmulPrecision);
    const summaries = COMPARED.flatMap((method) => {
      const own = runs.filter((run) => run.method === method);
      return own.length === 0 ? [] : [own.length > 1 ? summarizeSeeds(own) : own[0]!];
    });
    const preset = Object.entries(PRESET).every(
      ([name, value]) => name === 'iterations' || flags[name as keyof typeof PRESET] === value,
    );
    report(terminal, summaries, preset, flags.compare === true);
    const main = summaries.find(({ method }) => method === 'pada') ?? summaries[0]!;
    terminal.emit({
      event: 'result',
      ...main,
      ...(flags.compare && { methods: Object.fromEntries(summaries.map((summary) => [summary.method, summary])) }),
    });
    setExitCode(context);
  });
}

/** Says how long it will take, and does fewer iterations on an adapter that is too slow for all of them. */
async function fit(context: Context, terminal: Terminal, gpu: Gpu, job: Job, chosen: boolean): Promise<Job> {
  const { iterations } = job.options;
  const runs = job.methods.length * job.seeds.length;
  if (!gpu.info.software) {
    if (!chosen) terminal.note(`${counted(iterations, 'iteration')} (--iterations)`);
    return job;
  }
  const showTiming = (): void => {
    if (terminal.isLive) terminal.live('timing a few iterations');
  };
  const notice = compileNotice(terminal);
  showTiming();
  const options = { ...job.options, method: job.methods.at(-1)! };
  const seconds = await context.timeIteration(gpu, job.data, options, (progress) => {
    notice(progress);
    if (progress.compiled === progress.total) showTiming();
  });
  terminal.clear();
  const slow = seconds > SLOW_SECONDS;
  // Ten iterations would let the line stand still for longer than one waits.
  const watched = slow && terminal.isLive ? { ...job, printFreq: job.printFreq ?? 1 } : job;
  const time = (n: number): string => `about ${duration(runs * n * seconds)}${runs > 1 ? ` for ${runs} runs` : ''}`;
  const fitting = Math.floor(SLOW_BUDGET_SECONDS / seconds / 100) * 100;
  const fewer = Math.max(FEWEST_ITERATIONS, fitting);
  if (chosen || !slow || fewer >= iterations) {
    terminal.note(
      `${describeDevice(gpu.info)}: ${counted(iterations, 'iteration')} (--iterations) take ${time(iterations)}`,
    );
    return watched;
  }
  terminal.note(
    `${describeDevice(gpu.info)} is slow: ${count(fewer)} iterations in place of ${count(iterations)}, ${time(fewer)}; --iterations ${iterations} does them all in ${time(iterations)}`,
  );
  return { ...watched, options: { ...job.options, iterations: fewer } };
}

/** The sentence at the end: what was reached, beside what was recorded. */
function report(
  terminal: Terminal,
  summaries: readonly (RunSummary | SeedsSummary)[],
  preset: boolean,
  compare: boolean,
): void {
  const deviation = (summary: RunSummary | SeedsSummary): number | null =>
    'runs' in summary ? summary.targetDeviation : null;
  if (compare) {
    const rows = summaries.map((s) => [
      METHOD_NAMES[s.method],
      spread(s.targetAccuracy, deviation(s)),
      count(s.iterations),
    ]);
    terminal.line(columns(['method', 'target accuracy', 'iterations'], rows));
    terminal.line();
  }
  for (const summary of summaries) {
    if ('runs' in summary) terminal.line(seedsLine(summary));
  }
  const main = summaries.find(({ method }) => method === 'pada') ?? summaries[0]!;
  const reached = `${METHOD_NAMES[main.method]} reached ${percent(main.targetAccuracy)} on the target's test images after ${counted(main.iterations, 'iteration')}`;
  const recorded = preset ? recordedFigures(TASK) : undefined;
  terminal.line(terminal.colors.bold(`${reached}${recorded ? `; recorded for this task: ${recorded}` : ''}.`));
  if (!compare) {
    const self = process.env.npm_lifecycle_event === 'start' ? 'npm start --' : 'padagrad start';
    terminal.line(`Without PADA: ${self} --method source-only, or --method dann; all three: ${self} --compare`);
  }
}
