import { anything, callable, checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import type { HostImages } from '../data/dataset.ts';
import type { CompileProgress } from '../gpu/compilation.ts';
import type { AdapterInfo } from '../gpu/device.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import type { Native } from '../gpu/native.ts';
import { asCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from './events.ts';
import type { TrainingOptions } from './options.ts';
import { Run } from './run.ts';
import type { Training } from './training.ts';
import type { TrainingData } from './trainingData.ts';

/** How a run reports, stops and resumes. Nothing here changes what is learnt. */
export interface TrainSettings {
  /** Iterations between two readings of the metrics. Default: 50. */
  printFreq?: number;
  /** Iterations between two evaluations. Default: 0, only at the end. */
  evalFreq?: number;
  /**
   * Stops the run after the iterations that the GPU has, a fifth of a second of them or one, with a checkpoint. While kernels are
   * compiled it stops between two of them: then the result has no evaluation.
   */
  signal?: Native<'AbortSignal'>;
  /** Labelled sets, used only for evaluation. */
  targetTest?: HostImages;
  sourceTest?: HostImages;
  /** Checkpoint to resume from. Options that are not given are the checkpoint's. */
  resume?: Checkpoint;
  /** Iterations between two checkpoints; 0 for none. Default: 100. */
  checkpointEvery?: number;
  /**
   * Checks the result of every op, so that the error names the first op that gave NaN or infinity. Slow: the ops run eagerly,
   * with one readback per iteration.
   */
  detectAnomaly?: boolean;
  /** Opens another device after a loss, and training resumes from the last checkpoint. Default: the loss is thrown. */
  reopen?: () => Promise<Gpu>;
}

const settingChecks: OptionChecks<TrainSettings> = {
  printFreq: wholeFrom(0),
  evalFreq: wholeFrom(0),
  signal: {
    wanted: "an AbortSignal, an AbortController's `signal`",
    holds: (value) => typeof (value as Partial<AbortSignal> | null)?.aborted === 'boolean',
  },
  targetTest: anything,
  sourceTest: anything,
  resume: asCheckpoint,
  checkpointEvery: wholeFrom(0),
  detectAnomaly: flag,
  reopen: callable,
};

/** Functions that a run calls. */
export interface TrainCallbacks {
  /** Called before the first of the run's kernels is compiled and after each; `total` counts them. Not called if all are compiled. */
  onCompile?(progress: CompileProgress): void;
  onStart?(info: { gpu: AdapterInfo; parameters: number; sourceCount: number; targetCount: number }): void;
  /** Called every `printFreq` iterations and at the end, with the latest metrics. */
  onProgress?(progress: IterationMetrics & { secondsPerIteration: number; secondsLeft: number }): void;
  /** Called with the metrics of every iteration, in order, each once, as they are read. */
  onMetrics?(rows: IterationMetrics[]): void;
  onClassWeight?(event: ClassWeightEvent): void;
  /** Called only if labelled sets were given. Training itself never uses the target's labels. */
  onEvaluation?(event: EvaluationEvent): void;
  /** A checkpoint to keep; training waits for what this returns. */
  onCheckpoint?(checkpoint: Checkpoint): void | Promise<void>;
  /** Called if the device was lost: training resumes at `iteration` on another one. */
  onLost?(event: { iteration: number; error: Error }): void;
}

const callbackChecks: OptionChecks<TrainCallbacks> = {
  onCompile: callable,
  onStart: callable,
  onProgress: callable,
  onMetrics: callable,
  onClassWeight: callable,
  onEvaluation: callable,
  onCheckpoint: callable,
  onLost: callable,
};

/** Accuracies on the labelled sets at one iteration. */
export interface EvaluationEvent {
  /** Iterations done. */
  iteration: number;
  target?: Evaluation;
  source?: Evaluation;
}

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
 * Trains to the end, or until the signal aborts. The training stays usable; dispose of it when done.
 *
 * @throws TypeError | RangeError for data, options, settings or callbacks that are wrong, before anything is made
 * @throws NotFiniteError if a loss, a gradient or a parameter became NaN or infinite, at the next reading of the metrics; with
 * `detectAnomaly` in that iteration, and its cause is an `AnomalyError`
 * @throws GpuError `GPU_LOST` without `reopen`, or when three devices were lost since the last checkpoint
 */
export async function train(
  gpu: Gpu,
  data: TrainingData,
  options: Partial<TrainingOptions> = {},
  settings: TrainSettings = {},
  callbacks: TrainCallbacks = {},
): Promise<{ result: TrainResult; training: Training }> {
  checkGpu('train', gpu);
  checkOptions('train settings', settings, settingChecks);
  checkOptions('train callbacks', callbacks, callbackChecks);
  const run = new Run(gpu, data, options, settings, callbacks);
  try {
    return { result: await run.go(), training: run.training };
  } catch (error) {
    run.dispose();
    throw error;
  }
}
