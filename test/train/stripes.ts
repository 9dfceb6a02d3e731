import type { HostImages } from '../../src/data/host.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { TrainSettings } from '../../src/train/loop.ts';
import { completeRunOptions, type RunOptions, trainArguments } from '../../src/train/methods/named.ts';
import type { TrainerSettings, TrainingData } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { seeded } from '../harness.ts';

const SIZE = 16;
const CLASSES = 4;

/** Small images of noise with one bright stripe, whose position is the class; a few iterations learn them. */
export function stripes(count: number, seed: number, { classes = CLASSES, brightness = 200 } = {}): HostImages {
  const random = seeded(seed);
  const images = Uint8Array.from({ length: count * SIZE * SIZE }, () => 40 * random());
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  for (const [i, label] of labels.entries()) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 3 * label + 2; x < 3 * label + 4; x++) images[(i * SIZE + y) * SIZE + x]! += brightness;
    }
  }
  return { images, labels, count, height: SIZE, width: SIZE };
}

/** Bright stripes of four classes as source, dim ones of the first two as target. */
export const stripesData = (): TrainingData<HostImages> => ({
  source: stripes(100, 1),
  target: stripes(90, 2, { classes: 2, brightness: 120 }),
  numClasses: CLASSES,
});

// Small batches, frequent class weights, and pseudo-labels after two iterations.
const FAST = { batchSize: 8, classWeightUpdateSteps: 10, iterations: 45, pseudoFrom: 2, ramp: 10, threshold: 0.5 };

/** The argument of `train` for stripes. */
export const stripesSettings = (
  gpu: Gpu,
  options: Partial<RunOptions> = {},
  more: Partial<TrainSettings> = {},
): TrainSettings => ({
  gpu,
  ...stripesData(),
  ...trainArguments(completeRunOptions({ ...FAST, ...options })),
  ...more,
});

/** A trainer with these settings. */
export const stripesTrainer = (
  gpu: Gpu,
  options?: Partial<RunOptions>,
  more?: Partial<TrainerSettings>,
): Promise<Trainer> => Trainer.create(stripesSettings(gpu, options, more));
