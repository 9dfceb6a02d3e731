// The settings of a Trainer, and the checks that come before anything is allocated.
import {
  anything,
  atLeast,
  type Check,
  callable,
  checkOptions,
  flag,
  inF32,
  type OptionChecks,
  oneOf,
  show,
  wholeFrom,
  withDefaults,
  within,
} from '../checks/options.ts';
import { Dataset, ImageDataset } from '../data/dataset.ts';
import {
  checkData,
  checkSameShape,
  exampleShape,
  type HostData,
  type HostImages,
  isFeatures,
  labelsOf,
  largestOf,
  nounOf,
} from '../data/host.ts';
import type { Jitter } from '../data/jitter.ts';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import { gemmSettings } from '../gemm/settings.ts';
import { GpuError } from '../gpu/errors.ts';
import { checkGpu, Gpu } from '../gpu/gpu.ts';
import { largestTensor, type Model, type ModelFactory, type ModelGeometry } from '../models/model.ts';
import type { SmallCnn } from '../models/smallCnn.ts';
import { Module } from '../nn/module.ts';
import type { Shape } from '../shape.ts';
import type { Method } from './methods/method.ts';

/** Options of a training run, whatever its method. Names and defaults are those of TLlib's PADA example if it has them. */
export interface TrainingOptions {
  /** Iterations of the whole run. The learning rate does not depend on it. Default: 1500. */
  iterations: number;
  /** Examples per batch and domain. Default: 64. */
  batchSize: number;
  /** Learning rate at iteration i: lr (1 + lrGamma i)^-lrDecay. Default: 0.01. */
  lr: number;
  /** Default: 0.001. */
  lrGamma: number;
  /** Default: 0.75. */
  lrDecay: number;
  /** Nesterov momentum. Default: 0.9. */
  momentum: number;
  /** Default: 0.001. */
  weightDecay: number;
  /**
   * Whether batch norm in the model uses the statistics of both domains' batches together, or `separate` ones for each. Then evaluation uses
   * those of the target. Default: 'joint'.
   */
  batchNorm: BatchNormDomains;
  /** Determines the initial weights and the order of the data. Default: 0. */
  seed: number;
  /** Runs every op eagerly instead of captured steps: slower, bit-identical, easier to debug. Default: false. */
  eager: boolean;
  /**
   * Precision of matmuls and convolutions on this Gpu; see `setFloat32MatmulPrecision` of `padagrad/precision`.
   * Default: 'highest'.
   */
  float32MatmulPrecision: Float32MatmulPrecision;
}

export const defaultOptions: Readonly<TrainingOptions> = {
  iterations: 1500,
  batchSize: 64,
  lr: 0.01,
  lrGamma: 0.001,
  lrDecay: 0.75,
  momentum: 0.9,
  weightDecay: 0.001,
  batchNorm: 'joint',
  seed: 0,
  eager: false,
  float32MatmulPrecision: 'highest',
};

export const BATCH_NORMS = ['joint', 'separate'] as const;
/** Whether batch norm uses the statistics of both domains together, or of each. */
export type BatchNormDomains = (typeof BATCH_NORMS)[number];

export const PRECISIONS: readonly Float32MatmulPrecision[] = ['highest', 'medium'];

const single = inF32(atLeast(0));
const optionChecks: OptionChecks<TrainingOptions> = {
  iterations: wholeFrom(0),
  batchSize: wholeFrom(2),
  lr: single,
  lrGamma: atLeast(0),
  lrDecay: atLeast(0),
  momentum: within(0, 1),
  weightDecay: single,
  batchNorm: oneOf(...BATCH_NORMS),
  seed: wholeFrom(0),
  eager: flag,
  float32MatmulPrecision: oneOf(...PRECISIONS),
};

/**
 * Returns the given options, completed by those of `base`. Default of `base`: {@link defaultOptions}.
 *
 * @throws TypeError for an unknown name, with the nearest known one, or a value of the wrong type
 * @throws RangeError for a value out of range
 */
export function completeOptions(
  given: Partial<TrainingOptions>,
  base: Readonly<TrainingOptions> = defaultOptions,
): TrainingOptions {
  checkOptions<TrainingOptions>('training', given, optionChecks);
  return withDefaults(base, given);
}

/** The argument of {@link Trainer.create}: data, model, method, and any {@link TrainingOptions}. */
export interface TrainerSettings<M extends Model = SmallCnn> extends Partial<TrainingOptions> {
  gpu: Gpu;
  /** Labelled examples to learn from: images, feature vectors, or a data set that is on the GPU already. */
  source: HostData | Dataset;
  /** Examples to adapt to; their labels are ignored. Required unless the method is `sourceOnly()`. */
  target?: HostData | Dataset;
  /**
   * Data augmentation: changes source images at random each time that they are drawn, as `affineJitter()` and `colourJitter()` do.
   * Evaluation and class weights use the images as they are. Default: none.
   */
  sourceJitter?: Jitter | undefined;
  /** The same for target images. Default: none. */
  targetJitter?: Jitter | undefined;
  /** How to adapt: `pada()`, `dann()` or `sourceOnly()`. */
  method: Method;
  /**
   * The network: a Module whose `forward` returns `{ logits, features }`, or a function `(gpu, spec) => module`. A module stays
   * the caller's to dispose. Default: {@link smallCnn}.
   */
  model?: M | ModelFactory<M>;
  /**
   * Number of classes, at least 2. Default: that of the source's class names, else one more than its largest label. Required if
   * the source is a {@link Dataset}.
   */
  numClasses?: number;
  /** Checks the result of every op, and names the first op that gave NaN or infinity. Slow; bit-identical. Default: false. */
  detectAnomaly?: boolean;
}

/** The data of a run, as programs hand it around. */
export interface TrainingData<Data extends HostData = HostData> {
  source: Data;
  target: Data;
  numClasses: number;
}

const aMethod: Check = {
  wanted: 'a method, such as pada()',
  holds: (value) => typeof (value as Partial<Method> | null)?.begin === 'function',
};
const aJitter: Check = {
  wanted: 'a jitter, such as affineJitter()',
  holds: (value) => typeof (value as Partial<Jitter> | null)?.of === 'function',
};
const aModel: Check = {
  wanted: 'a Module, or a function (gpu, spec) => module',
  holds: (value) => value instanceof Module || callable.holds(value),
};

/** @internal */
export const settingsChecks: OptionChecks<TrainerSettings<Model>> = {
  gpu: anything,
  source: anything,
  target: anything,
  sourceJitter: aJitter,
  targetJitter: aJitter,
  method: aMethod,
  model: aModel,
  numClasses: wholeFrom(2),
  detectAnomaly: flag,
  ...optionChecks,
};

/** @internal Checked settings, with what follows from them. */
export interface CheckedSettings {
  gpu: Gpu;
  source: HostData | Dataset;
  /** Only if the method uses it. */
  target: HostData | Dataset | undefined;
  jitter: { source: Jitter | undefined; target: Jitter | undefined };
  /** The name of the images' geometry; undefined for other data. */
  geometry: string | undefined;
  method: Method;
  numClasses: number;
  /** The shape of one example. */
  shape: Shape;
  options: TrainingOptions;
  detectAnomaly: boolean;
}

/**
 * @internal
 * Checks the settings of a run, before anything is allocated.
 */
export function checkSettings<M extends Model>(
  settings: TrainerSettings<M>,
  geometry: ModelGeometry | undefined,
): CheckedSettings {
  const { gpu, source, target, method, numClasses: given, detectAnomaly = false } = settings;
  const jitter = { source: settings.sourceJitter, target: settings.targetJitter };
  const names = Object.keys(optionChecks) as (keyof TrainingOptions)[];
  const options = completeOptions(Object.fromEntries(names.map((name) => [name, settings[name]])));
  checkGpu('train', gpu);
  const numClasses = countClasses(source, given);
  if (method.usesTarget && !target)
    throw new TypeError(`training: target is missing, and ${method.name} adapts to it; pass its examples`);
  // Losses that are added to it see the target in a pass of its own, so both domains would move the running statistics.
  if (options.batchNorm === 'separate' && (!method.usesTarget || method.name === 'source-only'))
    throw new RangeError(
      `training: batchNorm is separate, but ${method.name} has no batches of both domains; leave it out`,
    );
  const shape = shapeOf(source);
  geometry?.check(shape);
  if (target) checkExamples(source, target, 'target');
  for (const [side, data] of [
    ['source', source],
    ['target', target],
  ] as const)
    if (jitter[side] && data && !hasImages(data))
      throw new TypeError(
        `training: ${side}Jitter changes images, but the ${side} is neither HostImages nor an ImageDataset; leave it out`,
      );
  for (const [name, data] of Object.entries({ source, ...(method.usesTarget && { target: target! }) })) {
    if (data.count >= options.batchSize) continue;
    const noun = data instanceof Dataset ? 'examples' : nounOf(data);
    throw new RangeError(
      `training: batchSize is ${options.batchSize}, but the ${name} has only ${data.count} ${noun}; use ${data.count} or less`,
    );
  }
  if (geometry) checkBatch(gpu, options.batchSize, (n) => geometry.largestBuffer(shape, method.usesTarget ? 2 * n : n));
  return {
    gpu,
    source,
    target: method.usesTarget ? target : undefined,
    jitter,
    geometry: geometryOf(source),
    method,
    numClasses,
    shape,
    options,
    detectAnomaly,
  };
}

/** @internal Throws for unknown names, with a hint if the option belongs to the method. */
export function checkNames<S extends { method: Method }>(who: string, given: S, checks: OptionChecks<object>): void {
  if (given instanceof Gpu)
    throw new TypeError(`${who}: expected one options object but got a Gpu; write { gpu, source, target, method }`);
  const own = Object.keys(given?.method?.options ?? {}).find((name) => Object.hasOwn(given, name));
  if (own)
    throw new TypeError(
      `${who}: ${own} is an option of the method; write method: ${given.method.name}({ ${own}: ${show(Reflect.get(given, own))} })`,
    );
  checkOptions(who, given, checks, ['gpu', 'source', 'method'] as never[]);
}

const hasImages = (data: HostData | Dataset): boolean =>
  data instanceof Dataset ? data instanceof ImageDataset : !isFeatures(data);

/** @internal The shape of one example. */
export const shapeOf = (data: HostData | Dataset): readonly number[] =>
  data instanceof Dataset ? data.shape : exampleShape(data);

/** @internal Throws for examples of another shape than the source's, and for images that are standardised or moved otherwise. */
export function checkExamples(source: HostData | Dataset, data: HostData | Dataset, label: string): void {
  if (!(data instanceof Dataset)) checkData(label, data, false);
  checkSameShape(shapeOf(source), shapeOf(data), label);
  const [wanted, found] = [scaleOf(source), scaleOf(data)];
  if (wanted !== undefined && found !== undefined && wanted !== found)
    throw new TypeError(
      `training: source images have ${wanted} but those of the ${label} ${found}; use the same for all`,
    );
}

/** The mean and the deviation of each channel and the geometry, in words; undefined for data that is no images. */
function scaleOf(data: HostData | Dataset): string | undefined {
  if (!hasImages(data)) return undefined;
  const half = new Array<number>(shapeOf(data)[0]!).fill(0.5);
  const { mean = half, std = half } = data as HostImages | ImageDataset;
  return `mean ${mean.join(' ')}, std ${std.join(' ')} and geometry ${geometryOf(data)}`;
}

/** The name of the geometry of images; undefined for data that is no images. */
function geometryOf(data: HostData | Dataset): string | undefined {
  if (!hasImages(data)) return undefined;
  const { geometry = 'none' } = data as HostImages | ImageDataset;
  return typeof geometry === 'string' ? geometry : geometry.name;
}

/** Checks the source's labels, and returns the number of classes. */
function countClasses(source: HostData | Dataset, given: number | undefined): number {
  if (source instanceof Dataset) {
    if (given !== undefined) return given;
    throw new TypeError(
      'training: numClasses is missing; pass it, as the source is a Dataset, whose labels are on the GPU',
    );
  }
  checkData('source', source, false);
  if (!source.labels) throw new TypeError(`training: the source has no labels; training needs them`);
  checkData('source', source, true);
  const labels = labelsOf(source);
  if (labels.every((label) => label === labels[0]))
    throw new RangeError(
      `training: all ${source.count} ${nounOf(source)} of the source are of class ${labels[0]}; a classifier needs two classes or more`,
    );
  const largest = largestOf(labels);
  const numClasses = given ?? source.classNames?.length ?? largest + 1;
  if (largest < numClasses) return numClasses;
  throw new RangeError(`training: the source has a label ${largest}, but numClasses is ${numClasses}; make it larger`);
}

/** Throws if the largest tensor of an iteration exceeds the device's largest buffer. */
function checkBatch(gpu: Gpu, batchSize: number, bytesFor: (batchSize: number) => number): void {
  const limit = largestTensor(gpu);
  if (bytesFor(batchSize) <= limit) return;
  const most = Math.floor(limit / bytesFor(1));
  throw new GpuError(
    'LIMIT',
    `training: batchSize ${batchSize} needs a buffer of ${bytesFor(batchSize)} bytes, but this device allows ${limit}; ${most < 2 ? 'use smaller examples' : `use ${most} or less`}`,
  );
}

/** @internal Sets the precision of matmuls that a run asks for. */
export async function setPrecision(gpu: Gpu, { float32MatmulPrecision: precision }: TrainingOptions): Promise<void> {
  if (precision === 'highest' && !gemmSettings.of(gpu).half) return;
  // Rarely used, so pages load it only on demand.
  const { setFloat32MatmulPrecision } = await import('../gemm/precision.ts');
  await setFloat32MatmulPrecision(gpu, precision);
}
