import type { HostImages } from '../data/dataset.ts';
import type { AdapterInfo } from '../gpu/device.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Evaluator } from './evaluate.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from './events.ts';
import type { TrainingOptions } from './options.ts';
import { Training, type TrainingData } from './training.ts';

/** How a run is watched; none of it changes what is learnt. */
export interface TrainSettings {
  /** Iterations between two readings of the figures. */
  printFreq?: number;
  /** Iterations between two evaluations; 0 for one at the end alone. */
  evalFreq?: number;
  /** Stops the run after the iteration under way. */
  signal?: AbortSignal;
  /** Labelled sets that evaluation alone uses. */
  targetTest?: HostImages;
  sourceTest?: HostImages;
}

/** What a run tells while it runs. */
export interface TrainCallbacks {
  onStart?(info: { gpu: AdapterInfo; parameters: number; sourceCount: number; targetCount: number }): void;
  /** Every `printFreq` iterations and at the end: the latest figures. */
  onProgress?(progress: IterationMetrics & { secondsPerIteration: number; secondsLeft: number }): void;
  /** The figures of every iteration, in order, as they are read. */
  onMetrics?(rows: IterationMetrics[]): void;
  onClassWeight?(event: ClassWeightEvent): void;
  /** Only where labelled sets were given; the target's is knowledge that training does not have. */
  onEvaluation?(event: EvaluationEvent): void;
}

export interface EvaluationEvent {
  /** Iterations done. */
  iteration: number;
  target?: Evaluation;
  source?: Evaluation;
}

/** What came out of a run. Accuracies are of the last iteration, in percent. */
export interface TrainResult extends ClassWeightEvent {
  options: TrainingOptions;
  targetAccuracy?: number;
  sourceAccuracy?: number;
  target?: Evaluation;
  source?: Evaluation;
  /** Training alone, class weights included, evaluation not. */
  secondsPerIteration: number;
  seconds: number;
  aborted: boolean;
}

/** Trains to the end, or until the signal says stop; the training stays usable, and is the caller's to dispose. */
export async function train(
  gpu: Gpu,
  data: TrainingData,
  options: Partial<TrainingOptions> = {},
  settings: TrainSettings = {},
  callbacks: TrainCallbacks = {},
): Promise<{ result: TrainResult; training: Training }> {
  const { printFreq = 50, evalFreq = 0, signal } = settings;
  const training = await Training.create(gpu, data, options);
  const evaluators = {
    target: settings.targetTest && training.evaluator(settings.targetTest),
    source: settings.sourceTest && training.evaluator(settings.sourceTest),
  };
  const { iterations, classWeightUpdateSteps, method } = training.options;
  const parameters = [...training.model.parameters(), ...(training.discriminator?.parameters() ?? [])].reduce(
    (n, p) => n + p.size,
    0,
  );
  callbacks.onStart?.({ gpu: gpu.info, parameters, sourceCount: data.source.count, targetCount: data.target.count });

  const clock = new Stopwatch();
  try {
    while (training.iteration < iterations && !signal?.aborted) {
      clock.start();
      await training.step();
      const { iteration } = training;
      const last = iteration === iterations;
      if (iteration % printFreq === 0 || last) {
        const rows = await training.metrics();
        clock.stop();
        callbacks.onMetrics?.(rows);
        const secondsPerIteration = clock.seconds / iteration;
        callbacks.onProgress?.({
          ...rows.at(-1)!,
          secondsPerIteration,
          secondsLeft: secondsPerIteration * (iterations - iteration),
        });
      }
      if (method === 'pada' && iteration % classWeightUpdateSteps === 0 && callbacks.onClassWeight) {
        clock.stop();
        callbacks.onClassWeight(await training.classWeight());
      }
      if (evalFreq > 0 && iteration % evalFreq === 0 && !last) {
        await gpu.idle();
        clock.stop();
        callbacks.onEvaluation?.(await evaluateAll(training, evaluators));
      }
    }
    await gpu.idle();
    clock.stop();
    const rows = await training.metrics();
    if (rows.length > 0) callbacks.onMetrics?.(rows);
    const evaluation = await evaluateAll(training, evaluators);
    if (evaluation.target || evaluation.source) callbacks.onEvaluation?.(evaluation);
    return { result: await report(training, evaluation, clock.seconds, signal?.aborted === true), training };
  } catch (error) {
    training.dispose();
    throw error;
  } finally {
    evaluators.target?.dispose();
    evaluators.source?.dispose();
  }
}

async function evaluateAll(
  training: Training,
  evaluators: { target?: Evaluator | undefined; source?: Evaluator | undefined },
): Promise<EvaluationEvent> {
  const target = await evaluators.target?.run();
  const source = await evaluators.source?.run();
  return { iteration: training.iteration, ...(target && { target }), ...(source && { source }) };
}

async function report(
  training: Training,
  { target, source }: EvaluationEvent,
  seconds: number,
  aborted: boolean,
): Promise<TrainResult> {
  return {
    options: training.options,
    ...(target && { target, targetAccuracy: target.accuracy }),
    ...(source && { source, sourceAccuracy: source.accuracy }),
    ...(await training.classWeight()),
    secondsPerIteration: seconds / training.iteration,
    seconds,
    aborted,
  };
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

  get seconds(): number {
    return this.total / 1000;
  }
}
