// Everything that the views show. The visitor's choices show at once. Results that the worker still has to send are
// awaited until they come, and late results for earlier settings are dropped.
import { fallenClasses } from '../../src/adaptation/diagnostics.ts';
import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../src/train/events.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { OwnState } from './ownState.ts';
import type { Awaited, OwnLabelling, Report, RunAnalysis, RunProgress, Samples, Snapshot } from './protocol.ts';
import { CLASS_NAMES, defaultSettings, type Settings } from './settings.ts';
import { TASKS, type TaskWords } from './words.ts';

type Ready = Extract<Report, { type: 'ready' }>;

/** Draws one part of the state. Called again after every change, so it must be cheap if nothing is new. */
export type View = (state: PageState) => void;

/** The results of one training run so far. */
export class RunState {
  /** Iterations done. */
  iteration = 0;
  readonly rows: IterationMetrics[] = [];
  /** The class weights, each time they changed. */
  readonly weights: ClassWeightEvent[] = [];
  /** Percent of the target's test images classified correctly, for each snapshot. */
  readonly accuracies: { iteration: number; accuracy: number }[] = [];
  /** Evaluations on the classes that are selected now. */
  readonly evaluations: { iteration: number; evaluation: Evaluation }[] = [];
  /** The labels that self-training would give itself, for each snapshot. */
  readonly labellings: ({ iteration: number } & OwnLabelling)[] = [];
  /** Whether it has done all iterations that its method takes. */
  ended = false;
  /** The latest snapshot. */
  snapshot: Snapshot | undefined;
  /** The latest analysis. */
  analysis: RunAnalysis | undefined;
  /** Probabilities for the drawing. */
  answer: Float32Array | undefined;

  /** The iteration at which other classes of the target were chosen. */
  private classesSince = 0;

  constructor(readonly method: MethodName) {}

  get weight(): ClassWeightEvent | undefined {
    return this.weights.at(-1);
  }

  /** The first iteration with class weights other than 1; undefined before it. */
  get weightedSince(): number | undefined {
    return this.weights.find(({ classWeight }) => classWeight.some((weight) => weight !== 1))?.iteration;
  }

  /** The classes whose weight was 1 at an update since an iteration, and is lower now. */
  fallenSince(iteration: number): number[] {
    const since = Math.max(iteration, this.classesSince);
    const before = this.weights.filter((one) => one.iteration > since);
    const fallen = new Set(before.flatMap(({ classWeight }) => fallenClasses(classWeight, this.weight!.classWeight)));
    return [...fallen].sort((a, b) => a - b);
  }

  addProgress({ iteration, rows, weights, ended }: RunProgress): void {
    this.iteration = iteration;
    this.ended = ended;
    // One by one, because spreading all of them would overflow the stack.
    for (const row of rows) this.rows.push(row);
    const before = this.weight?.classWeight;
    if (!weights.classWeight.every((weight, c) => weight === before?.[c])) this.weights.push(weights);
  }

  addSnapshot(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    const { iteration, evaluation, own } = snapshot;
    const replace = <T extends { iteration: number }>(list: T[], item: T) => {
      if (list.at(-1)?.iteration === iteration) list.pop();
      list.push(item);
    };
    if (own) replace(this.labellings, { iteration, ...own });
    if (!evaluation) return;
    replace(this.accuracies, { iteration, accuracy: evaluation.accuracy });
    replace(this.evaluations, { iteration, evaluation });
  }

  /** Forgets what was seen of other classes. The curve of accuracies stays. */
  forgetSnapshots(): void {
    this.snapshot = undefined;
    this.analysis = undefined;
    this.evaluations.length = 0;
    this.classesSince = this.iteration;
  }

  /** Returns to an earlier iteration, after which everything will be measured again. */
  rewind(iteration: number): void {
    this.iteration = iteration;
    this.ended = false;
    const drop = <T extends { iteration: number }>(list: T[], last: number) => {
      while (list.length > 0 && list.at(-1)!.iteration > last) list.pop();
    };
    drop(this.rows, iteration - 1);
    drop(this.weights, iteration);
    drop(this.accuracies, iteration);
    drop(this.evaluations, iteration);
    drop(this.labellings, iteration);
    if (this.snapshot && this.snapshot.iteration > iteration) this.snapshot = undefined;
    if (this.analysis && this.analysis.iteration > iteration) this.analysis = undefined;
  }
}

/** `choosing`: the visitor has to choose images first. */
export type Mode = 'choosing' | 'loading' | 'ready' | 'running' | 'paused' | 'done' | 'failed';

export class PageState {
  settings: Settings;
  samples: Samples | undefined;
  /** Undefined until the browser answered; null if it has no adapter. */
  adapter: AdapterInfo | null | undefined;
  msPerStep = 0;
  mode: Mode = 'loading';
  readonly own = new OwnState();
  /** The runs that are shown. */
  runs: readonly RunState[] = [];
  /** All runs since the last restart, so that a method that is selected again has its history. */
  private readonly known = new Map<MethodName, RunState>();
  private awaited: ReadonlySet<Awaited> = new Set();
  /** Numbers of the latest settings, of the latest restart, and of the latest change of classes. */
  private revision = 0;
  private started = 0;
  private classesSince = 0;
  /** Numbers of the latest drawing, and of the first one since the sheet was empty. */
  private drawing = 0;
  private firstDrawing = 0;

  constructor(settings: Settings = defaultSettings) {
    this.settings = settings;
    this.selectRuns();
  }

  /** Iterations that every run has done that has not ended; if all have, the most of any. */
  get iteration(): number {
    const going = this.runs.filter(({ ended }) => !ended);
    const done = (runs: readonly RunState[]) => runs.map(({ iteration }) => iteration);
    return going.length > 0 ? Math.min(...done(going)) : Math.max(...done(this.runs));
  }

  /** Whether the worker has runs that it can train, save and replace. */
  get hasRuns(): boolean {
    return this.mode !== 'loading' && this.mode !== 'failed' && this.mode !== 'choosing';
  }

  /** The page's name of the images. */
  get words(): TaskWords {
    return TASKS[this.settings.task];
  }

  get classNames(): readonly string[] {
    const { task } = this.settings;
    return task === 'own' ? (this.samples?.classNames ?? []) : CLASS_NAMES[task];
  }

  /** The classes that occur in the target; all if that is unknown. */
  get held(): readonly number[] {
    const { task, classes } = this.settings;
    return task === 'own' ? (this.samples?.held ?? []) : classes;
  }

  /** Whether the target has labels to evaluate with. */
  get isLabelled(): boolean {
    return this.settings.task !== 'own' || (this.samples?.testCount ?? 0) > 0;
  }

  run(method: MethodName): RunState | undefined {
    return this.runs.find((run) => run.method === method);
  }

  /** Whether one of these reports is still to come. */
  awaits(...reports: readonly Awaited[]): boolean {
    return reports.some((report) => this.awaited.has(report));
  }

  /** Whether a run has no snapshot yet, and the worker is about to send one. */
  awaitsSnapshot({ snapshot }: RunState): boolean {
    return !snapshot && (this.mode === 'running' || this.awaits('ready', 'snapshots'));
  }

  /** Shows other settings and, with `restart`, empty runs. Returns the number of the settings. */
  choose(settings: Settings, restart = false): number {
    const otherClasses = settings.classes.join() !== this.settings.classes.join();
    this.settings = settings;
    this.revision++;
    if (restart) {
      this.started = this.revision;
      this.known.clear();
      this.msPerStep = 0;
    }
    if (restart || otherClasses) {
      this.classesSince = this.revision;
      this.samples = undefined;
      for (const run of this.known.values()) run.forgetSnapshots();
    }
    // After a failure the worker obeys only a restart.
    if (restart || this.mode !== 'failed') this.awaited = new Set<Awaited>([...this.awaited, 'ready']);
    this.selectRuns();
    return this.revision;
  }

  /** Shows no runs, because there are no images for any. */
  close(): void {
    this.choose(this.settings, true);
    this.awaited = new Set();
  }

  /** Notes another drawing, or an empty sheet. Returns the number of the drawing. */
  draw(empty: boolean): number {
    this.drawing++;
    if (empty || this.mode === 'failed') {
      this.firstDrawing = this.drawing;
      for (const run of this.runs) run.answer = undefined;
    } else this.awaited = new Set<Awaited>([...this.awaited, 'answers']);
    return this.drawing;
  }

  /** Notes that an analysis was asked for. */
  analyse(): void {
    this.awaited = new Set<Awaited>([...this.awaited, 'analyses']);
  }

  take(report: Report): void {
    const { type } = report;
    this.own.take(report);
    if (type === 'opened') this.adapter = report.adapter;
    else if (type === 'ready') this.begin(report);
    else if (type === 'progress' && report.revision >= this.started) {
      this.came('progress');
      this.msPerStep = report.msPerStep;
      for (const progress of report.runs) this.runOf(progress.method).addProgress(progress);
    } else if (type === 'snapshots' && report.revision >= this.classesSince) {
      this.came('snapshots');
      for (const [method, snapshot] of report.snapshots) this.runOf(method).addSnapshot(snapshot);
    } else if (type === 'answers' && report.revision >= this.started && report.drawing >= this.firstDrawing) {
      if (report.drawing === this.drawing) this.came('answers');
      for (const run of this.runs) run.answer = undefined;
      for (const [method, answer] of report.answers ?? []) this.runOf(method).answer = answer;
    } else if (type === 'analyses' && report.revision >= this.classesSince) {
      this.came('analyses');
      for (const [method, analysis] of report.analyses) this.runOf(method).analysis = analysis;
    } else if (type === 'failed') {
      // The worker still obeys settings that wait in its inbox, unless the failure was fatal.
      this.awaited = new Set<Awaited>(report.fatal || !this.awaits('ready') ? [] : ['ready']);
      if (report.code === 'NO_ADAPTER' || report.code === 'NO_WEBGPU') this.adapter = null;
      if (report.fatal) for (const run of this.runs) run.answer = undefined;
    }
  }

  private begin({ settings, samples, iterations, revision, from, next }: Ready): void {
    if (from !== 'before') this.known.clear();
    for (const [method, iteration] of iterations) this.runOf(method).rewind(iteration);
    if (revision === this.revision) {
      const { speed, run } = this.settings;
      if (from === 'file') this.settings = { ...settings, speed, run };
      this.samples = samples;
      this.awaited = new Set<Awaited>(this.awaits('answers') ? [...next, 'answers'] : next);
    }
    this.selectRuns();
  }

  private came(report: Awaited): void {
    this.awaited = new Set([...this.awaited].filter((one) => one !== report));
  }

  private selectRuns(): void {
    this.runs = this.settings.methods.map((method) => this.runOf(method));
  }

  /** Returns the run of a method, a new one if there is none. */
  private runOf(method: MethodName): RunState {
    const run = this.known.get(method) ?? new RunState(method);
    this.known.set(method, run);
    return run;
  }
}
