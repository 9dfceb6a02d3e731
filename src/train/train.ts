import { anything, callable, checkOptions, flag, type OptionChecks, wholeFrom } from '../checkOptions.ts';
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

/** How a run is watched and kept; none of it changes what is learnt. */
export interface TrainSettings {
  /** Iterations between two readings of the figures. */
  printFreq?: number;
  /** Iterations between two evaluations; 0 for one at the end alone. */
  evalFreq?: number;
  /**
   * Stops the run after the iterations that the GPU has, a fifth of a second of them or one, with a checkpoint. While kernels are
   * compiled it stops between two of them: then the result has no evaluation.
   */
  signal?: Native<'AbortSignal'>;
  /** Labelled sets that evaluation alone uses. */
  targetTest?: HostImages;
  sourceTest?: HostImages;
  /** Where the run goes on from. Options that are not given are the checkpoint's. Default: the beginning. */
  resume?: Checkpoint;
  /** Iterations between two checkpoints: 100 by default; 0 for none. */
  checkpointEvery?: number;
  /**
   * Looks at what every op computes, so that the error names the op which gave a NaN or an infinity first. Slow: the ops run
   * anew in place of captured steps, with one readback an iteration.
   */
  detectAnomaly?: boolean;
  /** Opens another device when this one was lost: training goes on from the last checkpoint. Without it a loss is thrown. */
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

/** What a run tells while it runs. */
export interface TrainCallbacks {
  /** Called before the first of the run's kernels is compiled and after each; `total` counts them. Not called if all are compiled. */
  onCompile?(progress: CompileProgress): void;
  onStart?(info: { gpu: AdapterInfo; parameters: number; sourceCount: number; targetCount: number }): void;
  /** Every `printFreq` iterations and at the end: the latest figures. */
  onProgress?(progress: IterationMetrics & { secondsPerIteration: number; secondsLeft: number }): void;
  /** The figures of every iteration, in order, each once, as they are read. */
  onMetrics?(rows: IterationMetrics[]): void;
  onClassWeight?(event: ClassWeightEvent): void;
  /** Only where labelled sets were given; the target's is knowledge that training does not have. */
  onEvaluation?(event: EvaluationEvent): void;
  /** A checkpoint to keep; training waits for what this returns. */
  onCheckpoint?(checkpoint: Checkpoint): void | Promise<void>;
  /** The device was lost; training goes on from `iteration` on another one. */
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

/** Accuracies at one moment of a run, of the labelled sets that were given. */
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
  /** Training alone, class weights included, evaluation not; of the iterations that this run did. */
  secondsPerIteration: number;
  seconds: number;
  /** From the call to the end of the first iteration, with all that is made and compiled for it; null if none was done. */
  secondsToFirstStep: number | null;
  aborted: boolean;
}

/**
 * Trains to the end, or until the signal says stop; the training stays usable, and is the caller's to dispose.
 *
 * @throws NotFiniteError where a loss, a gradient or a parameter became NaN or infinite, at the next reading of the figures; with
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
