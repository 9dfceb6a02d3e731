import type { HostImages } from '../data/dataset.ts';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Evaluation } from '../train/events.ts';
import type { TrainingOptions } from '../train/options.ts';
import type { TrainCallbacks, TrainResult, TrainSettings } from '../train/train.ts';
import type { TrainingData } from '../train/trainingData.ts';
import type { SavedModel } from './model.ts';
import type { MeasuredIterations } from './show/profile.ts';
import type { TextStream } from './show/terminal.ts';

export type Split = 'train' | 'test';

/** What training leaves besides its figures: the model's bytes on demand, and memory to give back. */
export interface Trained {
  result: TrainResult;
  modelBytes(): Promise<Uint8Array>;
  dispose(): void;
}

/** All that the commands reach outside for; tests put their own in place. */
export interface Context {
  stdout: TextStream;
  stderr: TextStream;
  /** Set by a command that ends otherwise than well without an error. */
  exitCode: number;
  /** From the first call on, SIGINT and SIGTERM abort this signal, with their name as the reason; a second one ends the process. */
  interruptible(): AbortSignal;
  /** A Gpu whose products are of that precision, the highest by default. */
  openGpu(precision?: Float32MatmulPrecision): Promise<Gpu>;
  resolveData(name: string, split: Split): Promise<HostImages>;
  train(
    gpu: Gpu,
    data: TrainingData,
    options: Partial<TrainingOptions>,
    settings: TrainSettings,
    callbacks: TrainCallbacks,
  ): Promise<Trained>;
  /** How a saved model does on labelled images. */
  evaluate(gpu: Gpu, model: SavedModel, images: HostImages): Promise<Evaluation>;
  /** The class weights that a saved model gives images. */
  classWeight(gpu: Gpu, model: SavedModel, images: HostImages, temperature: number): Promise<readonly number[]>;
  /** Computes something small and compares it. @throws if it came out wrong */
  selfTest(gpu: Gpu): Promise<void>;
  /** Seconds that one iteration takes here, measured on a few. Calls `onCompile` as `train` does. */
  timeIteration(
    gpu: Gpu,
    data: TrainingData,
    options: TrainingOptions,
    onCompile: TrainCallbacks['onCompile'],
  ): Promise<number>;
  /** A few iterations, measured kernel by kernel. */
  profile(gpu: Gpu, data: TrainingData, options: TrainingOptions): Promise<MeasuredIterations>;
}

/** Opens the GPU for as long as `use` runs. */
export async function withGpu<T>(
  context: Context,
  use: (gpu: Gpu) => Promise<T>,
  precision?: Float32MatmulPrecision,
): Promise<T> {
  const gpu = await context.openGpu(precision);
  try {
    return await use(gpu);
  } finally {
    gpu.dispose();
  }
}
