import { type GemmVariants, gemmVariants, setGemmVariants } from '../gemm/variants.ts';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Evaluator } from './evaluate.ts';
import { NotFiniteError } from './notFinite.ts';
import { completeOptions, type TrainingOptions } from './options.ts';
import { Stopwatch } from './stopwatch.ts';
import type { EvaluationEvent, TrainCallbacks, TrainResult, TrainSettings } from './train.ts';
import { Training } from './training.ts';
import type { TrainingData } from './trainingData.ts';

// After this many losses without a checkpoint in between, another device would be lost too.
const MOST_LOSSES = 3;

// Submitted work cannot be taken back, and signals arrive only while the host waits: it waits about this often.
const LISTEN_MS = 200;

/** One call of `train`: runs a training, calls the callbacks, and replaces a lost device. */
export class Run {
  private current: Training | undefined;
  private evaluators: { target?: Evaluator; source?: Evaluator } = {};
  private checkpoint: Checkpoint | undefined;
  private losses = 0;
  private begun = 0;
  private readonly options: TrainingOptions;
  private readonly variants: GemmVariants;
  private readonly clock = new Stopwatch();
  private readonly opening = new Stopwatch();
  /** Iterations submitted since the host last waited, how many it submits before it waits, and when it last waited. */
  private readonly ahead = { steps: 0, most: 1, since: 0 };
  /** The iteration up to which each callback was called: it is not called again for iterations that are repeated after a loss. */
  private readonly told = { metrics: 0, progress: 0, classWeight: 0, evaluation: 0, checkpoint: 0 };

  constructor(
    private gpu: Gpu,
    private readonly data: TrainingData,
    options: Partial<TrainingOptions>,
    private readonly settings: TrainSettings,
    private readonly callbacks: TrainCallbacks,
  ) {
    this.options = completeOptions(options, settings.resume?.options);
    this.checkpoint = settings.resume;
    this.variants = settings.resume?.gemmVariants ?? gemmVariants(gpu);
    this.begun = settings.resume?.iteration ?? 0;
    for (const kind of Object.keys(this.told) as (keyof typeof this.told)[]) this.told[kind] = this.begun;
  }

  get training(): Training {
    return this.current!;
  }

  async go(): Promise<TrainResult> {
    this.opening.start();
    for (;;) {
      try {
        await this.open();
        return await this.toTheEnd();
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

  private async open(): Promise<void> {
    const { gpu, data, settings } = this;
    // The run's own, also on the device that takes the place of a lost one: only they give the same bits.
    setGemmVariants(gpu, this.variants);
    const training = Training.begin(gpu, data, this.options, settings.detectAnomaly);
    this.current = training;
    if (settings.targetTest) this.evaluators.target = training.evaluator(settings.targetTest, 'targetTest');
    if (settings.sourceTest) this.evaluators.source = training.evaluator(settings.sourceTest, 'sourceTest');
    await this.compile(training);
    if (this.checkpoint) {
      const { iterations } = training.options;
      if (this.checkpoint.iteration > iterations)
        throw new RangeError(
          `train: resume has ${this.checkpoint.iteration} iterations done, but iterations is ${iterations}; make it larger`,
        );
      training.restore(this.checkpoint);
    }
    if (this.losses > 0) return;
    const networks = [training.model, training.discriminator];
    const parameters = networks.flatMap((network) => [...(network?.parameters() ?? [])]);
    this.callbacks.onStart?.({
      gpu: gpu.info,
      parameters: parameters.reduce((n, p) => n + p.size, 0),
      sourceCount: data.source.count,
      targetCount: data.target.count,
    });
  }

  /** Compiles all kernels of the run, or as many as the signal leaves time for: then nothing is trained or evaluated. */
  private async compile(training: Training): Promise<void> {
    const { signal } = this.settings;
    const onCompile = this.callbacks.onCompile?.bind(this.callbacks);
    try {
      await training.prepare(Object.values(this.evaluators), { signal, onCompile });
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      this.disposeEvaluators();
    }
  }

  private async toTheEnd(): Promise<TrainResult> {
    const { training, clock } = this;
    const { printFreq = 50, evalFreq = 0, checkpointEvery = 100, signal } = this.settings;
    const { iterations, classWeightUpdateSteps, method } = training.options;
    const due = (every: number) => every > 0 && training.iteration % every === 0;
    while (training.iteration < iterations && !signal?.aborted) {
      clock.start();
      await training.step();
      if (this.opening.isRunning) {
        await this.gpu.idle();
        this.opening.stop();
      }
      if (signal) await this.listen();
      const last = training.iteration === iterations;
      if (due(printFreq) || last) await this.tellProgress();
      if (method === 'pada' && due(classWeightUpdateSteps)) await this.tellClassWeight();
      if (due(evalFreq) && !last) await this.tellEvaluation();
      if (due(checkpointEvery) && !last) await this.keepCheckpoint();
    }
    await this.gpu.idle();
    clock.stop();
    await this.look();
    if (training.iteration < iterations && checkpointEvery > 0) await this.keepCheckpoint();
    const evaluation = await this.tellEvaluation();
    const { target, source } = evaluation;
    const result: TrainResult = {
      options: training.options,
      ...(target && { target, targetAccuracy: target.accuracy }),
      ...(source && { source, sourceAccuracy: source.accuracy }),
      ...(await training.classWeight()),
      secondsPerIteration: clock.seconds / Math.max(1, training.iteration - this.begun),
      seconds: clock.seconds,
      secondsToFirstStep: this.opening.isRunning ? null : this.opening.seconds,
      aborted: signal?.aborted === true,
    };
    this.disposeEvaluators();
    return result;
  }

  /** Waits for the GPU after as many iterations as fill the time between two moments of listening, one at least. */
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

  /** Reads the figures since the last look, and stops the run where one of them, or what they led to, is not finite. */
  private async look(): Promise<void> {
    const rows = await this.training.metrics();
    this.clock.stop();
    const fresh = rows.filter(({ iteration }) => iteration >= this.told.metrics);
    if (fresh.length > 0) this.callbacks.onMetrics?.(fresh);
    this.told.metrics = Math.max(this.told.metrics, this.training.iteration);
    const bad = await this.training.firstNotFinite(rows);
    if (bad) throw new NotFiniteError(bad.iteration, bad.what);
  }

  private async tellProgress(): Promise<void> {
    const { training, clock } = this;
    await this.look();
    if (!this.isNews('progress')) return;
    const { iteration } = training;
    const secondsPerIteration = clock.seconds / (iteration - this.begun);
    this.callbacks.onProgress?.({
      ...training.latest!,
      secondsPerIteration,
      secondsLeft: secondsPerIteration * (training.options.iterations - iteration),
    });
  }

  private async tellClassWeight(): Promise<void> {
    const { onClassWeight } = this.callbacks;
    if (!onClassWeight) return;
    this.clock.stop();
    // Told is what was read: the device may be lost meanwhile.
    const event = await this.training.classWeight();
    if (this.isNews('classWeight')) onClassWeight(event);
  }

  private async tellEvaluation(): Promise<EvaluationEvent> {
    const { training, evaluators } = this;
    await this.gpu.idle();
    this.clock.stop();
    const target = await evaluators.target?.run();
    const source = await evaluators.source?.run();
    const event = { iteration: training.iteration, ...(target && { target }), ...(source && { source }) };
    if ((target || source) && this.isNews('evaluation')) this.callbacks.onEvaluation?.(event);
    return event;
  }

  private async keepCheckpoint(): Promise<void> {
    await this.look();
    this.checkpoint = await this.training.state();
    this.losses = 0;
    if (this.isNews('checkpoint')) await this.callbacks.onCheckpoint?.(this.checkpoint);
  }

  /** Whether a callback was not called for this iteration yet. */
  private isNews(kind: keyof typeof this.told): boolean {
    const { iteration } = this.training;
    if (iteration <= this.told[kind]) return false;
    this.told[kind] = iteration;
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
