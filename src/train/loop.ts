// `train()` runs a Trainer to the end. Around the iterations it compiles, reports, evaluates, keeps checkpoints, listens to a
// signal, and replaces a lost device. Nothing of this changes what the network learns: a run that was interrupted is
// bit-identical to one that was not.
import { anything, callable, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { Dataset } from '../data/dataset.ts';
import type { HostData } from '../data/host.ts';
import { NotFiniteError } from '../debug/finiteWatch.ts';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Native } from '../gpu/native.ts';
import type { Model } from '../models/model.ts';
import type { SmallCnn } from '../models/smallCnn.ts';
import { Module } from '../nn/module.ts';
import { checkCallbacks, type TrainCallbacks } from './callbacks.ts';
import { aCheckpoint, type Checkpoint, checkSameJitter } from './checkpoint.ts';
import type { Evaluator } from './evaluate.ts';
import type { ClassWeightEvent, Evaluation, EvaluationEvent } from './events.ts';
import { checkNames, settingsChecks, type TrainerSettings, type TrainingOptions } from './options.ts';
import { Trainer } from './trainer.ts';

// After this many losses without a checkpoint in between, another device would be lost too.
const MOST_LOSSES = 3;

// Submitted work cannot be cancelled, and signals arrive only while the host waits. It waits about this often.
const LISTEN_MS = 200;

/** The argument of {@link train}. */
export interface TrainSettings<M extends Model = SmallCnn> extends TrainerSettings<M> {
  callbacks?: TrainCallbacks;
  /** Iterations between two readings of the metrics; 0 reads them only at the end. Default: 50. */
  printFreq?: number;
  /** Iterations between two evaluations; 0 evaluates only at the end. Default: 0. */
  evalFreq?: number;
  /** Labelled sets, used only for evaluation. */
  targetTest?: HostData | Dataset;
  sourceTest?: HostData | Dataset;
  /** Iterations between two checkpoints; 0 keeps none. Default: 100. */
  checkpointEvery?: number;
  /** Checkpoint to resume from. Options that are not given are the checkpoint's; method and seed must be the checkpoint's. */
  resume?: Checkpoint;
  /**
   * Stops the run, with a checkpoint, within about 0.2 s or one iteration. While kernels are compiled it stops between two of
   * them; then the result has no evaluation.
   */
  signal?: Native<'AbortSignal'>;
  /** Opens another device after a loss; training resumes from the last checkpoint. Default: the loss is thrown. */
  reopen?: () => Promise<Gpu>;
}

const checks: OptionChecks<TrainSettings<Model>> = {
  ...settingsChecks,
  printFreq: wholeFrom(0),
  evalFreq: wholeFrom(0),
  targetTest: anything,
  sourceTest: anything,
  checkpointEvery: wholeFrom(0),
  resume: aCheckpoint,
  signal: {
    wanted: "an AbortSignal, an AbortController's `signal`",
    holds: (value) => typeof (value as Partial<AbortSignal> | null)?.aborted === 'boolean',
  },
  reopen: callable,
  callbacks: anything,
};

/** The result of a run. Accuracies are those after the last iteration, in percent. */
export interface TrainResult extends ClassWeightEvent {
  options: TrainingOptions;
  targetAccuracy?: number;
  sourceAccuracy?: number;
  target?: Evaluation;
  source?: Evaluation;
  /** Time of training with class weights, without evaluation, per iteration that this run did. */
  secondsPerIteration: number;
  seconds: number;
  /** From the call to the end of the first iteration, compilation included; null if no iteration was done. */
  secondsToFirstStep: number | null;
  aborted: boolean;
}

/**
 * Trains to the end, or until the signal aborts. The trainer stays usable; dispose of it when done.
 *
 * ```ts
 * const { result, trainer } = await train({ gpu, source, target, method: pada(), iterations: 200 });
 * ```
 *
 * @throws TypeError | RangeError for wrong settings, before anything is allocated
 * @throws NotFiniteError if a loss, a gradient or a parameter became NaN or infinite, at the next reading of the metrics; with
 * `detectAnomaly` in that iteration, and its cause is an `AnomalyError`
 * @throws GpuError `LIMIT` if a batch does not fit, with the largest that does; `GPU_LOST` without `reopen`, or if three
 * devices were lost since the last checkpoint
 */
export async function train<M extends Model = SmallCnn>(
  settings: TrainSettings<M>,
): Promise<{ result: TrainResult; trainer: Trainer<M> }> {
  checkCallbacks(settings, checks);
  checkNames('train', settings, checks);
  checkResume(settings);
  const run = new Run(settings);
  try {
    return { result: await run.toTheEnd(), trainer: run.trainer };
  } catch (error) {
    run.dispose();
    throw error;
  }
}

function checkResume(settings: TrainSettings<Model>): void {
  const { resume, method, model, reopen } = settings;
  if (reopen && model instanceof Module)
    throw new TypeError(
      'train: model is a module, which another device cannot take over; with reopen, pass a function (gpu, spec) => new MyNet(gpu, spec)',
    );
  const kept = (['source', 'target', 'targetTest', 'sourceTest'] as const).find(
    (name) => settings[name] instanceof Dataset,
  );
  if (reopen && kept)
    throw new TypeError(
      `train: ${kept} is a Dataset, which another device cannot take over; with reopen, pass the data in host memory`,
    );
  if (!resume) return;
  const { seed = resume.options.seed } = settings;
  if (seed !== resume.options.seed)
    throw new TypeError(`train: resume is of seed ${resume.options.seed}, but seed is ${seed}; leave it out`);
  checkSameJitter('train', resume, { source: settings.sourceJitter, target: settings.targetJitter });
  const [then, now] = [resume.method, method].map(({ name, options }) => `${name}(${JSON.stringify(options)})`);
  if (then !== now)
    throw new TypeError(
      `train: resume is of ${then}, but method is ${now}; pass the same method with the same options`,
    );
}

/** One call of `train`. */
class Run<M extends Model> {
  private gpu: Gpu;
  private current: Trainer<M> | undefined;
  private evaluators: { target?: Evaluator; source?: Evaluator } = {};
  private checkpoint: Checkpoint | undefined;
  private losses = 0;
  private readonly begun: number;
  private readonly clock = new Stopwatch();
  private readonly opening = new Stopwatch();
  /** Iterations submitted since the host last waited, how many it submits before it waits, and when it last waited. */
  private readonly ahead = { steps: 0, most: 1, since: 0 };
  /** The iteration up to which each callback was called. After a loss it is not called again for repeated iterations. */
  private readonly reported = { metrics: 0, progress: 0, classWeight: 0, evaluation: 0, checkpoint: 0 };

  private readonly callbacks: TrainCallbacks;

  constructor(private readonly settings: TrainSettings<M>) {
    this.gpu = settings.gpu;
    this.callbacks = settings.callbacks ?? {};
    this.checkpoint = settings.resume;
    this.begun = settings.resume?.iteration ?? 0;
    for (const kind of Object.keys(this.reported) as (keyof typeof this.reported)[]) this.reported[kind] = this.begun;
  }

  get trainer(): Trainer<M> {
    return this.current!;
  }

  async toTheEnd(): Promise<TrainResult> {
    this.opening.start();
    for (;;) {
      try {
        await this.open();
        return await this.iterate();
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  dispose(): void {
    this.disposeEvaluators();
    this.current?.dispose();
    this.current = undefined;
  }

  /** Makes the trainer and the evaluators, compiles all kernels, and resumes from the checkpoint, if there is one. */
  private async open(): Promise<void> {
    const { gpu, checkpoint } = this;
    const { targetTest, sourceTest, ...settings } = this.settings;
    const trainer = Trainer.begin<M>({ ...trainerSettings(settings, checkpoint), gpu });
    this.current = trainer;
    if (targetTest) this.evaluators.target = trainer.evaluator(targetTest, 'targetTest');
    if (sourceTest) this.evaluators.source = trainer.evaluator(sourceTest, 'sourceTest');
    if (checkpoint && checkpoint.iteration > trainer.options.iterations)
      throw new RangeError(
        `train: resume has ${checkpoint.iteration} iterations done, but iterations is ${trainer.options.iterations}; make it larger`,
      );
    await this.compile(trainer);
    if (checkpoint) trainer.restore(checkpoint);
    if (this.losses > 0) return;
    const { source, target } = settings;
    const parameters = trainer.parameterCount;
    this.callbacks.onStart?.({ gpu: gpu.info, parameters, sourceCount: source.count, targetCount: target?.count ?? 0 });
  }

  /** Compiles all kernels of the run, or as many as the signal leaves time for. Then nothing is trained or evaluated. */
  private async compile(trainer: Trainer<M>): Promise<void> {
    const { signal } = this.settings;
    const onCompile = this.callbacks.onCompile?.bind(this.callbacks);
    try {
      await trainer.prepare(Object.values(this.evaluators), { signal, onCompile });
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      this.disposeEvaluators();
    }
  }

  private async iterate(): Promise<TrainResult> {
    const { trainer, clock } = this;
    const { printFreq = 50, evalFreq = 0, checkpointEvery = 100, signal } = this.settings;
    const { iterations } = trainer.options;
    const due = (every: number) => every > 0 && trainer.iteration % every === 0;
    while (trainer.iteration < iterations && !signal?.aborted) {
      clock.start();
      const refreshed = await trainer.step();
      if (this.opening.isRunning) {
        await this.gpu.idle();
        this.opening.stop();
      }
      if (signal) await this.listen();
      const last = trainer.iteration === iterations;
      if (due(printFreq) || last) await this.reportProgress();
      if (refreshed) await this.reportClassWeight();
      if (due(evalFreq) && !last) await this.evaluate();
      if (due(checkpointEvery) && !last) await this.keepCheckpoint();
    }
    await this.gpu.idle();
    clock.stop();
    await this.readMetrics();
    if (trainer.iteration < iterations && checkpointEvery > 0) await this.keepCheckpoint();
    const { target, source } = await this.evaluate();
    const result: TrainResult = {
      options: trainer.options,
      ...(target && { target, targetAccuracy: target.accuracy }),
      ...(source && { source, sourceAccuracy: source.accuracy }),
      ...(await trainer.classWeight()),
      secondsPerIteration: clock.seconds / Math.max(1, trainer.iteration - this.begun),
      seconds: clock.seconds,
      secondsToFirstStep: this.opening.isRunning ? null : this.opening.seconds,
      aborted: signal?.aborted === true,
    };
    this.disposeEvaluators();
    return result;
  }

  /** Waits for the GPU once per LISTEN_MS of iterations, and at least after each iteration that takes longer. */
  private async listen(): Promise<void> {
    const { ahead } = this;
    if (++ahead.steps < ahead.most) return;
    await this.gpu.idle();
    const now = performance.now();
    const fitting = Math.floor((ahead.steps * LISTEN_MS) / (now - ahead.since));
    ahead.most = Math.max(1, Math.min(fitting, 2 * ahead.most));
    ahead.steps = 0;
    ahead.since = now;
  }

  /** Reads the metrics since the last reading. Throws if a loss, a gradient or a parameter is not finite. */
  private async readMetrics(): Promise<void> {
    const rows = await this.trainer.metrics();
    this.clock.stop();
    const fresh = rows.filter(({ iteration }) => iteration >= this.reported.metrics);
    if (fresh.length > 0) this.callbacks.onMetrics?.(fresh);
    this.reported.metrics = Math.max(this.reported.metrics, this.trainer.iteration);
    const bad = await this.trainer.firstNotFinite(rows);
    if (bad) throw new NotFiniteError(bad.iteration, bad.what);
  }

  private async reportProgress(): Promise<void> {
    const { trainer, clock } = this;
    await this.readMetrics();
    if (!this.isNews('progress')) return;
    const { iteration } = trainer;
    const secondsPerIteration = clock.seconds / (iteration - this.begun);
    this.callbacks.onProgress?.({
      ...trainer.latest!,
      secondsPerIteration,
      secondsLeft: secondsPerIteration * (trainer.options.iterations - iteration),
    });
  }

  private async reportClassWeight(): Promise<void> {
    if (!this.callbacks.onClassWeight) return;
    this.clock.stop();
    // The read comes first: if the device is lost meanwhile, nothing was reported.
    const event = await this.trainer.classWeight();
    if (this.isNews('classWeight')) this.callbacks.onClassWeight(event);
  }

  private async evaluate(): Promise<EvaluationEvent> {
    const { trainer, evaluators } = this;
    await this.gpu.idle();
    this.clock.stop();
    const target = await evaluators.target?.run();
    const source = await evaluators.source?.run();
    const event = { iteration: trainer.iteration, ...(target && { target }), ...(source && { source }) };
    if ((target || source) && this.isNews('evaluation')) this.callbacks.onEvaluation?.(event);
    return event;
  }

  private async keepCheckpoint(): Promise<void> {
    await this.readMetrics();
    this.checkpoint = await this.trainer.state();
    this.losses = 0;
    if (this.isNews('checkpoint')) await this.callbacks.onCheckpoint?.(this.checkpoint);
  }

  /** Returns whether a callback was not called for this iteration yet, and notes that it now is. */
  private isNews(kind: keyof typeof this.reported): boolean {
    const { iteration } = this.trainer;
    if (iteration <= this.reported[kind]) return false;
    this.reported[kind] = iteration;
    return true;
  }

  private disposeEvaluators(): void {
    for (const evaluator of Object.values(this.evaluators)) evaluator?.dispose();
    this.evaluators = {};
  }

  /** Opens another device after a loss, or throws. */
  private async recover(error: unknown): Promise<void> {
    const { reopen } = this.settings;
    this.clock.stop();
    if (!(error instanceof GpuError && error.code === 'GPU_LOST') || !reopen) throw error;
    this.losses++;
    if (this.losses >= MOST_LOSSES) {
      throw new GpuError(
        'GPU_LOST',
        `training: ${this.losses} devices were lost since the last checkpoint; the last: ${error.message}`,
        { cause: error },
      );
    }
    this.callbacks.onLost?.({ iteration: this.checkpoint?.iteration ?? 0, error });
    this.dispose();
    this.gpu = await reopen();
  }
}

/** Returns only the settings of the trainer, completed by the options of the run that is resumed. */
function trainerSettings<M extends Model>(settings: TrainSettings<M>, resume?: Checkpoint): TrainerSettings<M> {
  const own = Object.entries(settings).filter(
    ([name, value]) => Object.hasOwn(settingsChecks, name) && value !== undefined,
  );
  return { ...resume?.options, ...Object.fromEntries(own) } as TrainerSettings<M>;
}

/** Adds up the time between start and stop. */
class Stopwatch {
  private total = 0;
  private since: number | undefined;

  start(): void {
    this.since ??= performance.now();
  }

  stop(): void {
    if (this.since !== undefined) this.total += performance.now() - this.since;
    this.since = undefined;
  }

  get isRunning(): boolean {
    return this.since !== undefined;
  }

  get seconds(): number {
    return this.total / 1000;
  }
}
