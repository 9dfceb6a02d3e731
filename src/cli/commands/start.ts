// `npm start` and `padagrad start`: the demo, a training run with preset data. It shortens the run on a slow adapter and compares the
// result with the recorded figures.
import type { Command } from 'commander';
import recorded from '../../../docs/figures/adaptation.json';
import type { Gpu } from '../../gpu/gpu.ts';
import { METHOD_NAMES, type MethodName, type RunOptions, trainArguments } from '../../train/methods/named.ts';
import { Trainer } from '../../train/trainer.ts';
import { addTrainFlags, checkMethodFlags, type TrainFlags } from '../flags.ts';
import { describeDevice, withGpu } from '../gpu.ts';
import { type Job, prepareJob } from '../run/job.ts';
import { TIMED, WARM_UP } from '../run/profile.ts';
import { runJob } from '../run/runJob.ts';
import { columns } from '../show/bars.ts';
import { count, counted, duration, METHOD_TITLES, percent, spread } from '../show/format.ts';
import { compileNotice, readingNotes } from '../show/report.ts';
import { type RunSummary, type SeedsSummary, seedsLine, summarizeSeeds } from '../show/summary.ts';
import type { Act, Terminal } from '../show/terminal.ts';

// The recorded task that these flags define. Other flags define another task, which has no recorded figures.
const TASK = 'fontdigits-mnist';
const PRESET = {
  source: 'fontdigits',
  target: 'mnist',
  targetClasses: '0-4',
  sourceLimit: 6000,
  targetLimit: 6000,
} as const;

interface Flags extends TrainFlags {
  compare?: boolean;
}

/** `padagrad start`: the demo, which adapts from font digits to handwritten digits 0-4. */
export function addStart(root: Command, act: Act): void {
  const command = root
    .command('start')
    .description('demo: adapt from font digits to handwritten 0-4 with PADA (accepts all options of train)');
  addTrainFlags(command, PRESET).option('--compare', 'run all methods in turn and compare them');
  const isGiven = (name: keyof TrainFlags): boolean => command.getOptionValueSource(name) === 'cli';
  command.action(
    act(async (terminal, flags: Flags) => {
      const compare = flags.compare === true;
      if (compare && isGiven('method')) command.error('--compare runs all methods; omit --method');
      if (compare && flags.batchNorm === 'separate')
        command.error('--compare also runs source-only, which has no batches of both domains; omit --batch-norm');
      if (!compare) checkMethodFlags(command, flags);
      const asked = await prepareJob(flags, {
        methods: compare ? METHOD_NAMES : [flags.method],
        reading: readingNotes(terminal),
      });
      const { runs, exitCode } = await withGpu(asked.options[0].float32MatmulPrecision, async (gpu) =>
        runJob(terminal, gpu, await fitToDevice(terminal, gpu, asked, isGiven('iterations'))),
      );
      const summaries = METHOD_NAMES.map((method) => runs.filter((run) => run.method === method))
        .filter((own) => own.length > 0)
        .map((own) => (own.length > 1 ? summarizeSeeds(own) : own[0]!));
      const main = summaries.find(({ method }) => method === 'pada') ?? summaries[0]!;
      const isPreset = Object.entries(PRESET).every(([name, value]) => flags[name as keyof typeof PRESET] === value);
      if (compare) compareMethods(terminal, summaries);
      for (const summary of summaries) if ('runs' in summary) terminal.line(seedsLine(summary));
      conclude(terminal, main, { isPreset, compare });
      const methods = Object.fromEntries(summaries.map((summary) => [summary.method, summary]));
      terminal.emit({ event: 'result', ...main, ...(compare && { methods }) });
      return exitCode;
    }),
  );
}

/** On a software adapter: times an iteration, reports how long the job takes, and shortens it if that is too long. */
async function fitToDevice(terminal: Terminal, gpu: Gpu, job: Job, isChosen: boolean): Promise<Job> {
  if (!gpu.info.software) {
    if (!isChosen) terminal.note(`${counted(most(job), 'iteration')} (change with --iterations)`);
    return job;
  }
  const seconds = await timeIteration(terminal, gpu, job);
  const plan = planIterations(seconds, job, isChosen);
  terminal.note(`${describeDevice(gpu.info)}${plan.note}`);
  // On a slow adapter the live line would change too rarely.
  const printFreq = plan.isSlow && terminal.isLive ? (job.watch.printFreq ?? 1) : job.watch.printFreq;
  return {
    ...job,
    watch: { ...job.watch, printFreq },
    options: job.options.map((own) => ({ ...own, iterations: Math.min(own.iterations, plan.iterations) })) as [
      RunOptions,
    ],
  };
}

/** The most iterations of a run. */
const most = ({ options }: Pick<Job, 'options'>): number => Math.max(...options.map(({ iterations }) => iterations));

/** Returns the seconds of one iteration, measured on a few. */
async function timeIteration(terminal: Terminal, gpu: Gpu, job: Job): Promise<number> {
  const showTiming = (): void => {
    if (terminal.isLive) terminal.live('timing a few iterations');
  };
  const notice = compileNotice(terminal);
  showTiming();
  // Without the cheaper iterations that self-training begins with.
  const options = { ...job.options.at(-1)!, pseudoFrom: 0 };
  const trainer = Trainer.begin({ gpu, ...job.data, ...trainArguments(options), model: job.model });
  try {
    await trainer.prepare([], {
      onCompile(progress) {
        notice(progress);
        if (progress.compiled === progress.total) showTiming();
      },
    });
    for (let i = 0; i < WARM_UP; i++) await trainer.step();
    await gpu.idle();
    const before = performance.now();
    for (let i = 0; i < TIMED; i++) await trainer.step();
    await gpu.idle();
    return (performance.now() - before) / 1000 / TIMED;
  } finally {
    trainer.dispose();
    terminal.clear();
  }
}

// An adapter with slower iterations than this is as slow as SwiftShader. It runs as many iterations as fit into the budget.
const SLOW_SECONDS = 0.35;
const SLOW_BUDGET_SECONDS = 240;
const FEWEST_ITERATIONS = 200;

/** Returns how many iterations to run if each takes `seconds`, with a note. A number that the user chose stays. */
export function planIterations(
  seconds: number,
  job: Pick<Job, 'seeds'> & { options: readonly { iterations: number }[] },
  isChosen: boolean,
): { iterations: number; isSlow: boolean; note: string } {
  const { seeds, options } = job;
  const runs = options.length * seeds.length;
  const iterations = most(job as Job);
  const time = (n: number): string => {
    const all = options.reduce((sum, own) => sum + Math.min(n, own.iterations), 0);
    return `about ${duration(seeds.length * all * seconds)}${runs > 1 ? ` for ${runs} runs` : ''}`;
  };
  const isSlow = seconds > SLOW_SECONDS;
  const fitting = Math.max(FEWEST_ITERATIONS, Math.floor(SLOW_BUDGET_SECONDS / seconds / 100) * 100);
  if (isChosen || !isSlow || fitting >= iterations) {
    const note = `: ${counted(iterations, 'iteration')}, ${time(iterations)} (change with --iterations)`;
    return { iterations, isSlow, note };
  }
  const note = ` is slow: running ${count(fitting)} iterations instead of ${count(iterations)} (${time(fitting)}). Pass --iterations ${iterations} to run all (${time(iterations)})`;
  return { iterations: fitting, isSlow, note };
}

function compareMethods(terminal: Terminal, summaries: readonly (RunSummary | SeedsSummary)[]): void {
  const rows = summaries.map((summary) => [
    METHOD_TITLES[summary.method],
    spread(summary.targetAccuracy, 'runs' in summary ? summary.targetDeviation : null),
    count(summary.iterations),
  ]);
  terminal.line(columns(['method', 'target accuracy', 'iterations'], rows));
  terminal.line();
}

/** Writes the last lines: the result, next to the recorded figures if this is the recorded task. */
function conclude(
  terminal: Terminal,
  main: RunSummary | SeedsSummary,
  { isPreset, compare }: { isPreset: boolean; compare: boolean },
): void {
  const reached = `${METHOD_TITLES[main.method]}: ${percent(main.targetAccuracy)} on the target test set after ${counted(main.iterations, 'iteration')}`;
  const reference = isPreset ? recordedFigures(TASK) : undefined;
  terminal.line(terminal.colors.bold(`${reached}${reference ? `. Reference: ${reference}` : ''}`));
  const self = process.env.npm_lifecycle_event === 'start' ? 'npm start --' : 'padagrad start';
  if (!compare) terminal.line(`Compare with: ${self} --compare`);
}

/** Figures that `tools/adaptation.mjs` measured: target accuracies in percent. */
export interface Recorded {
  tasks: { name: string; methods: Partial<Record<MethodName, RecordedMethod>> }[];
}

interface RecordedMethod {
  iterations: number;
  mean: number;
  deviation: number | null;
  runs: readonly object[];
}

/** Returns the recorded figures of a task in one phrase; undefined if there are none. */
export function recordedFigures(task: string, { tasks }: Recorded = recorded): string | undefined {
  const methods = tasks.find(({ name }) => name === task)?.methods ?? {};
  const known = METHOD_NAMES.filter((method) => methods[method]);
  if (known.length === 0) return undefined;
  const groups = new Map<number, string[]>();
  for (const method of known) {
    const { mean, deviation, iterations } = methods[method]!;
    groups.set(iterations, [...(groups.get(iterations) ?? []), `${METHOD_TITLES[method]} ${spread(mean, deviation)}`]);
  }
  const list = [...groups].map(([n, figures]) => `${figures.join(', ')} after ${count(n)} iterations`).join('; ');
  const seeds = new Set(known.map((method) => methods[method]!.runs.length).sort());
  return `${list} (percent, mean of ${[...seeds].join(' or ')} seeds with standard deviation)`;
}
