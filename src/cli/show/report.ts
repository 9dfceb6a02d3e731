import type { CompileProgress } from '../../gpu/compilation.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../train/events.ts';
import type { TrainCallbacks } from '../../train/train.ts';
import { describeDevice } from '../device.ts';
import type { Job } from '../run/job.ts';
import { bar, barWidth, confusionTable, weightBars, weightLine } from './bars.ts';
import { classes, count, counted, duration, METHOD_NAMES, milliseconds, percent } from './format.ts';
import type { RunSummary } from './summary.ts';
import type { Terminal } from './terminal.ts';

type Started = Parameters<NonNullable<TrainCallbacks['onStart']>>[0];
type Progress = Parameters<NonNullable<TrainCallbacks['onProgress']>>[0];
type Evaluated = Parameters<NonNullable<TrainCallbacks['onEvaluation']>>[0];

const ORACLE = '(oracle: training never sees this)';

// A run that finds its kernels in the driver's cache compiles them within the first.
const FIRST_NOTICE_MS = 1000;
const NEXT_NOTICE_MS = 5000;

/**
 * Returns a callback that says how many kernels are compiled: on a terminal each time, otherwise and as an event after a
 * second and then every five.
 */
export function compileNotice(terminal: Terminal, now = () => performance.now()): (progress: CompileProgress) => void {
  let next = now() + FIRST_NOTICE_MS;
  let given = false;
  return ({ compiled, total }) => {
    const text = `compiling kernels: ${compiled} of ${total}`;
    if (terminal.isLive) terminal.live(text);
    if (now() >= next || (given && compiled === total)) {
      terminal.emit({ event: 'compile', compiled, total });
      if (!terminal.isLive) terminal.line(text);
      next = now() + NEXT_NOTICE_MS;
      given = true;
    }
    if (compiled === total) terminal.clear();
  };
}

/** Shows one run to people as it goes. */
export class TrainingDisplay {
  constructor(
    private readonly terminal: Terminal,
    private readonly job: Job,
    private readonly run: { method: keyof typeof METHOD_NAMES; seed: number; iterations: number },
  ) {}

  start({ gpu, parameters, sourceCount, targetCount }: Started): void {
    const { task, options } = this.job;
    const { method, seed, iterations } = this.run;
    const { bold, dim } = this.terminal.colors;
    const named = (name: string, list: readonly number[] | null): string =>
      list ? `${name} classes ${classes(list)}` : name;
    this.terminal.line(bold(`${METHOD_NAMES[method]}, seed ${seed}`));
    for (const [label, text] of [
      ['from', `${named(task.source, task.sourceClasses)} (${counted(sourceCount, 'labelled image')})`],
      ['to', `${named(task.target, task.targetClasses)} (${counted(targetCount, 'unlabelled image')})`],
      ['on', describeDevice(gpu)],
      [
        'for',
        `${counted(iterations, 'iteration')} of ${options.batchSize} + ${options.batchSize} images, ${count(parameters)} parameters`,
      ],
    ] as const)
      this.terminal.line(`  ${dim(label.padEnd(5))} ${text}`);
  }

  progress(p: Progress): void {
    const { terminal } = this;
    const { iterations } = this.run;
    const done = p.iteration + 1;
    const { cyan, bold } = terminal.colors;
    const loss = (p.classLoss + this.job.options.tradeOff * p.transferLoss).toFixed(3);
    const counter = `${String(done).padStart(String(iterations).length)}/${iterations}`;
    const time = `${milliseconds(p.secondsPerIteration)}/iteration`;
    const tested = (this.job.targetTest?.count ?? 0) + (this.job.sourceTest?.count ?? 0);
    const left =
      done < iterations
        ? `${duration(p.secondsLeft)} left`
        : `done${tested > 0 ? `, testing on ${counted(tested, 'image')}` : ''}`;
    if (!terminal.isLive) {
      const accuracies = `class ${percent(p.classAccuracy)}  domain ${percent(p.domainAccuracy)}`;
      terminal.line(`iteration ${counter}  loss ${loss}  ${accuracies}  ${time}  ${left}`);
      return;
    }
    const figures = [
      `loss ${bold(loss)}`,
      `class accuracy ${bold(percent(p.classAccuracy))}`,
      `domain accuracy ${bold(percent(p.domainAccuracy))}`,
    ];
    terminal.live(
      `${cyan(bar(done / iterations, barWidth(terminal.columns)))}  ${counter}  ${time}, ${left}\n${figures.join('   ')}`,
    );
  }

  classWeight(event: ClassWeightEvent): void {
    const { terminal, job } = this;
    const shared = job.task.targetClasses;
    const diagnosis = `${event.effectiveClasses.toFixed(1)} effective classes, entropy ${event.entropy.toFixed(2)}`;
    if (terminal.isLive) {
      terminal.line(
        terminal.colors.bold(`class weights after ${counted(event.iteration, 'iteration')}`) +
          terminal.colors.dim(`  ${diagnosis}`),
      );
      for (const row of weightBars(event.classWeight, shared, terminal)) terminal.line(row);
    } else {
      terminal.line(
        `class weights after ${counted(event.iteration, 'iteration')}: ${weightLine(event.classWeight, shared)} (${diagnosis})`,
      );
    }
    if (event.collapsed) {
      terminal.warning(
        'the class weights have collapsed to fewer than two classes and lead training astray; try a higher --temperature',
      );
    }
  }

  evaluation({ iteration, target, source }: Evaluated): void {
    const figures: string[] = [];
    if (target) figures.push(`target ${percent(target.accuracy)} ${ORACLE}`);
    if (source) figures.push(`source ${percent(source.accuracy)}`);
    this.terminal.line(`after ${counted(iteration, 'iteration')}: ${figures.join(', ')}`);
    if (!this.job.perClassEval) return;
    for (const [name, evaluation] of [
      ['target', target],
      ['source', source],
    ] as const) {
      if (evaluation) this.terminal.line(`  ${name} by class: ${perClass(evaluation)}`);
    }
  }

  /** The final report. */
  end(summary: RunSummary): void {
    const { terminal } = this;
    terminal.settle();
    if (summary.aborted)
      terminal.line(`stopped after ${count(summary.iterations)} of ${counted(this.run.iterations, 'iteration')}`);
    const first = summary.secondsToFirstStep;
    terminal.line(
      `${counted(summary.iterations, 'iteration')} in ${duration(summary.seconds)}, ${milliseconds(summary.secondsPerIteration)} each${first === null ? '' : `; the first was done after ${first < 1 ? milliseconds(first) : duration(first)}`}`,
    );
    if (summary.source)
      terminal.line(
        `source accuracy ${percent(summary.sourceAccuracy)} on ${counted(summary.source.count, 'test image')}`,
      );
    if (!summary.target) {
      terminal.line(
        this.job.targetTest
          ? 'target accuracy unknown: stopped before the first iteration'
          : 'target accuracy unknown: no labelled test set was given (--target-test)',
      );
      return;
    }
    terminal.line(
      `${terminal.colors.bold(
        `target accuracy ${percent(summary.targetAccuracy)} on ${counted(summary.target.count, 'test image')}`,
      )} ${ORACLE}`,
    );
    terminal.line();
    terminal.line(confusionTable(summary.target, terminal.colors));
    terminal.line();
  }
}

const perClass = ({ perClass: accuracies }: Evaluation): string =>
  accuracies
    .map((accuracy, c) => (Number.isNaN(accuracy) ? '' : `${c}: ${accuracy.toFixed(1)}`))
    .filter(Boolean)
    .join('  ');

/** One row of `metrics.jsonl` for an iteration. */
export const metricsRow = (metrics: IterationMetrics): object => ({ event: 'iteration', ...metrics });
