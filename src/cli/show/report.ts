// The output of a training run: progress, class weights, evaluations and the result, as lines for people and as JSON events for programs.
import { fallenClasses } from '../../adaptation/diagnostics.ts';
import { nounOf } from '../../data/host.ts';
import type { CompileProgress } from '../../gpu/compilation.ts';
import type { TrainCallbacks } from '../../train/callbacks.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../train/events.ts';
import type { RunOptions } from '../../train/methods/named.ts';
import type { ReadingWatch } from '../data.ts';
import { type Device, describeDevice } from '../gpu.ts';
import type { Job } from '../run/job.ts';
import { bar, barWidth, confusionTable, weightBars, weightLine } from './bars.ts';
import { classes, count, counted, duration, METHOD_TITLES, milliseconds, percent } from './format.ts';
import type { RunSummary } from './summary.ts';
import type { Terminal } from './terminal.ts';

type Started = Parameters<NonNullable<TrainCallbacks['onStart']>>[0];
type Progress = IterationMetrics & { secondsPerIteration: number; secondsLeft: number };
type Evaluated = Parameters<NonNullable<TrainCallbacks['onEvaluation']>>[0];

const FIRST_COMPILE_NOTICE_MS = 1000;
const NEXT_COMPILE_NOTICE_MS = 5000;

/**
 * Returns a callback that reports how many kernels are compiled. A terminal shows every one. Other outputs get a line and an event
 * after a second and then every five seconds, so nothing if the driver has the kernels in its cache.
 */
export function compileNotice(terminal: Terminal, now = () => performance.now()): (progress: CompileProgress) => void {
  let next = now() + FIRST_COMPILE_NOTICE_MS;
  let given = false;
  return ({ compiled, total }) => {
    const text = `compiling kernels: ${compiled} of ${total}`;
    if (terminal.isLive) terminal.live(text);
    if (now() >= next || (given && compiled === total)) {
      terminal.emit({ event: 'compile', compiled, total });
      if (!terminal.isLive) terminal.line(text);
      next = now() + NEXT_COMPILE_NOTICE_MS;
      given = true;
    }
    if (compiled === total) terminal.clear();
  };
}

/** Returns a watch that reports how many files of a large set are read, and notes. */
export const readingNotes = (terminal: Terminal): ReadingWatch => ({
  onNote: (text) => terminal.warning(text),
  onProgress(done, total) {
    if (!terminal.isLive) return;
    if (done === total) terminal.clear();
    else if (done % 50 === 0) terminal.live(`reading images: ${count(done)} of ${count(total)}`);
  },
});

const UNSEEN = '(measured with labels that training does not use)';

/** Reports one run while it trains: as lines for people, and as JSON events. */
export class RunReport {
  private lastWeight: ClassWeightEvent | undefined;

  constructor(
    private readonly terminal: Terminal,
    private readonly job: Job,
    private readonly options: RunOptions,
  ) {}

  /** `image` or `vector`. */
  private get noun(): string {
    return nounOf(this.job.data.source).slice(0, -1);
  }

  private get names(): readonly string[] | null {
    return this.job.record.classNames;
  }

  start({ gpu, parameters, sourceCount, targetCount }: Started, device: Device): void {
    const { terminal, options, noun, names } = this;
    const { task } = this.job;
    const { method, seed, iterations, batchSize } = options;
    const { bold, dim } = terminal.colors;
    terminal.emit({ event: 'start', task, options, device, parameters, sourceCount, targetCount });
    const named = (name: string, list: readonly number[] | null): string =>
      list ? `${name} classes ${names ? list.map((c) => names[c]).join(', ') : classes(list)}` : name;
    terminal.line(bold(`${METHOD_TITLES[method]}, seed ${seed}`));
    for (const [label, text] of Object.entries({
      source: `${named(task.source, task.sourceClasses)} (${counted(sourceCount, `labelled ${noun}`)})`,
      target: `${named(task.target, task.targetClasses)} (${counted(targetCount, `unlabelled ${noun}`)})`,
      device: describeDevice(gpu),
      run: `${counted(iterations, 'iteration')} of ${batchSize} + ${batchSize} ${noun}s, ${count(parameters)} parameters`,
    }))
      terminal.line(`  ${dim(label.padEnd(6))} ${text}`);
  }

  progress(p: Progress): void {
    const { terminal, job } = this;
    const { iterations } = this.options;
    terminal.emit({ event: 'progress', iterations, ...p });
    const done = p.iteration + 1;
    // Methods weigh the losses differently, and some of the weights change, so there is no sum of both here.
    const losses = { class: p.classLoss, ...(p.transferLoss !== 0 && { transfer: p.transferLoss }) };
    const accuracies = { class: p.classAccuracy, ...(!Number.isNaN(p.domainAccuracy) && { domain: p.domainAccuracy }) };
    const counter = `${String(done).padStart(String(iterations).length)}/${iterations}`;
    const time = `${milliseconds(p.secondsPerIteration)}/iteration`;
    const tested = (job.targetTest?.count ?? 0) + (job.sourceTest?.count ?? 0);
    const evaluating = tested > 0 ? `, evaluating on ${counted(tested, this.noun)}` : '';
    const left = done < iterations ? `${duration(p.secondsLeft)} left` : `done${evaluating}`;
    const { cyan, bold } = terminal.colors;
    const figures = [
      ...Object.entries(losses).map(([name, loss]) => `${name} loss ${bold(loss.toFixed(3))}`),
      ...Object.entries(accuracies).map(([name, accuracy]) => `${name} accuracy ${bold(percent(accuracy))}`),
    ].join('  ');
    if (terminal.isLive)
      terminal.live(
        `${cyan(bar(done / iterations, barWidth(terminal.columns)))}  ${counter}  ${time}, ${left}\n${figures}`,
      );
    else terminal.line(`iteration ${counter}  ${figures}  ${time}  ${left}`);
  }

  classWeight(event: ClassWeightEvent): void {
    const { terminal } = this;
    terminal.emit({ event: 'classWeight', ...event });
    const { iteration, classWeight, effectiveClasses, entropy } = event;
    const shared = this.job.task.targetClasses;
    const title = `class weights after ${counted(iteration, 'iteration')}`;
    const diagnosis = `${effectiveClasses.toFixed(1)} effective classes, entropy ${entropy.toFixed(2)}`;
    if (terminal.isLive) {
      terminal.line(`${terminal.colors.bold(title)}  ${terminal.colors.dim(diagnosis)}`);
      for (const row of weightBars(classWeight, shared, terminal, this.names)) terminal.line(row);
    } else {
      terminal.line(`${title}: ${weightLine(classWeight, shared, this.names)} (${diagnosis})`);
    }
    if (event.collapsed)
      terminal.warning(
        'the class weights have fewer than two effective classes: training is going wrong, unless the target has only one or two classes; try --method self-training, --class-weights saturating --temperature 1 --floor 0.05, or a higher --temperature',
      );
    this.warnOfDrift(event);
    this.lastWeight = event;
  }

  private warnOfDrift({ classWeight }: ClassWeightEvent): void {
    const { method, pseudoFrom } = this.options;
    // Before pseudo-labels begin, a weight may fall for good reasons: the model learns which classes are absent.
    if (method !== 'self-training' || !this.lastWeight || this.lastWeight.iteration < pseudoFrom) return;
    const fallen = fallenClasses(this.lastWeight.classWeight, classWeight);
    if (fallen.length === 0) return;
    const named = fallen.map((c) => `${this.names?.[c] ?? c}`).join(', ');
    this.terminal.warning(
      `the class weight of ${named} was 1 and has fallen: pseudo-labels may take images of this class for another; train several seeds and choose with \`padagrad select\`, or try --threshold 0.999`,
    );
  }

  /** Reports an evaluation. The last one is in the final report, so it is only an event. */
  evaluation({ iteration, target, source }: Evaluated, isLast: boolean): void {
    const { terminal } = this;
    terminal.emit({ event: 'evaluation', iteration, ...(target && { target }), ...(source && { source }) });
    if (isLast) return;
    const figures: string[] = [];
    if (target) figures.push(`target ${percent(target.accuracy)} ${UNSEEN}`);
    if (source) figures.push(`source ${percent(source.accuracy)}`);
    terminal.line(`after ${counted(iteration, 'iteration')}: ${figures.join(', ')}`);
    if (!this.job.watch.perClassEval) return;
    for (const [name, evaluation] of Object.entries({ target, source }))
      if (evaluation) terminal.line(`  ${name} by class: ${perClass(evaluation, this.names)}`);
  }

  end(summary: RunSummary): void {
    const { terminal } = this;
    const { target, source, iterations, secondsToFirstStep: first } = summary;
    terminal.settle();
    if (summary.aborted)
      terminal.line(`stopped after ${count(iterations)} of ${counted(this.options.iterations, 'iteration')}`);
    const firstTime = first === null ? '' : first < 1 ? milliseconds(first) : duration(first);
    terminal.line(
      `${counted(iterations, 'iteration')} in ${duration(summary.seconds)}, ${milliseconds(summary.secondsPerIteration)} each${firstTime && `; first iteration after ${firstTime}`}`,
    );
    if (source)
      terminal.line(`source accuracy ${percent(source.accuracy)} on ${counted(source.count, `test ${this.noun}`)}`);
    if (!target) {
      const reason = this.job.targetTest ? 'stopped before the first iteration' : 'pass --target-test to measure it';
      terminal.line(`target accuracy unknown (${reason})`);
      return;
    }
    const result = `target accuracy ${percent(target.accuracy)} on ${counted(target.count, `test ${this.noun}`)}`;
    terminal.line(`${terminal.colors.bold(result)} ${UNSEEN}`);
    terminal.line();
    terminal.line(confusionTable(target, terminal.colors, this.names));
    terminal.line();
  }
}

const perClass = ({ perClass: accuracies }: Evaluation, names: readonly string[] | null): string =>
  accuracies
    .map((accuracy, c) => (Number.isNaN(accuracy) ? '' : `${names?.[c] ?? c}: ${accuracy.toFixed(1)}`))
    .filter(Boolean)
    .join('  ');
