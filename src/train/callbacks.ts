import { callable, checkOptions, nearest, type OptionChecks } from '../checks/options.ts';
import type { CompileProgress } from '../gpu/compilation.ts';
import type { AdapterInfo } from '../gpu/device.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { ClassWeightEvent, EvaluationEvent, IterationMetrics } from './events.ts';

/** Functions that a run calls: the `callbacks` of {@link train}. */
export interface TrainCallbacks {
  /** Called before the first kernel is compiled and after each; `total` counts them. Not called if all are compiled. */
  onCompile?(progress: CompileProgress): void;
  onStart?(info: { gpu: AdapterInfo; parameters: number; sourceCount: number; targetCount: number }): void;
  /** Called every `printFreq` iterations and at the end, with the latest metrics. */
  onProgress?(progress: IterationMetrics & { secondsPerIteration: number; secondsLeft: number }): void;
  /** Called with the metrics of every iteration, in order, each once, as they are read. */
  onMetrics?(rows: IterationMetrics[]): void;
  /** Called after each update of the class weights. */
  onClassWeight?(event: ClassWeightEvent): void;
  /** Called only if `targetTest` or `sourceTest` is given. */
  onEvaluation?(event: EvaluationEvent): void;
  /** Called with each checkpoint; training waits for the promise that this returns. */
  onCheckpoint?(checkpoint: Checkpoint): void | Promise<void>;
  /** Called if the device was lost; training resumes at `iteration` on another one. */
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

/** @internal Throws for callbacks that `train` does not know, and for one that stands among the other settings. */
export function checkCallbacks(settings: { callbacks?: TrainCallbacks }, others: object): void {
  for (const name of Object.keys(settings ?? {})) {
    const meant = Object.hasOwn(others, name) ? undefined : nearest(name, Object.keys(callbackChecks));
    if (meant) throw new TypeError(`train: unknown option ${name}; did you mean callbacks: { ${meant} }?`);
  }
  checkOptions('train: callbacks', settings?.callbacks, callbackChecks);
}
