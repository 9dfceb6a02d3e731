// From predictions to class weights: the mean of softmax(logits / T) over images, divided by its largest element. ClassWeightModule does so
// for all images at once, ClassWeightAccumulator batch by batch.
import source from '../../shaders/classWeight.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { checkOptions, checkValue, type OptionChecks, oneOf, wholeFrom, within } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { expectShape } from '../ops/shared/expect.ts';
import { temperatures } from '../ops/softmax.ts';
import { SoftmaxColumnSums, softmaxColumnMean } from '../ops/softmaxColumnMean.ts';
import { empty, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('classWeight', [rowsSource, source], ['normalise', 'raise']);

export interface ClassWeightOptions {
  /** Temperature of the softmax. The lower it is, the more a prediction counts only for its most likely class. Default: 0.1. */
  temperature?: number;
  /**
   * How a mean prediction s becomes a weight. `mean`: s / max s (PADA). `saturating`: min(1, s / (share max s))^2, so that all
   * classes that are clearly in the target weigh the same. Default: 'mean'.
   */
  classWeights?: ClassWeightKind;
  /** With `saturating`, the share of the largest s from which on a class weighs 1: 0.001 to 1. Default: 0.3. */
  share?: number;
}

/** The names of the kinds of class weights. */
export const CLASS_WEIGHT_KINDS = ['mean', 'saturating'] as const;
/** How mean predictions become class weights: see {@link ClassWeightOptions.classWeights}. */
export type ClassWeightKind = (typeof CLASS_WEIGHT_KINDS)[number];

const floors = /* @__PURE__ */ within(0, 1);

/** @internal */
export const classWeightChecks: OptionChecks<ClassWeightOptions & { floor?: number }> = {
  temperature: temperatures,
  classWeights: /* @__PURE__ */ oneOf(...CLASS_WEIGHT_KINDS),
  share: /* @__PURE__ */ within(0.001, 1),
  floor: floors,
};

const { temperature, classWeights, share } = classWeightChecks;
const checks: OptionChecks<ClassWeightOptions> = { temperature, classWeights, share };

type AccumulatorOptions = ClassWeightOptions & { numClasses: number };
const accumulatorChecks: OptionChecks<AccumulatorOptions> = {
  ...{ temperature, classWeights, share },
  numClasses: /* @__PURE__ */ wholeFrom(1),
};

/**
 * Estimates from the classifier's predictions which source classes the target contains (TLlib `ClassWeightModule`; Cao et
 * al., "Partial Adversarial Domain Adaptation", ECCV 2018). The weights are the mean over rows of softmax(logits / T), divided
 * by its largest element, or those of {@link ClassWeightOptions.classWeights}.
 */
export class ClassWeightModule {
  readonly temperature: number;

  constructor(private readonly options: ClassWeightOptions = {}) {
    checkOptions('ClassWeightModule', options, checks);
    this.temperature = options.temperature ?? 0.1;
  }

  /** logits: f32 [n, C], of target images. Returns f32 [C]; the largest is 1. No gradient. All NaN if a logit is NaN. */
  forward(logits: Tensor): Tensor {
    return normalised(softmaxColumnMean(logits, { temperature: this.temperature }), this.options);
  }
}

/** {@link ClassWeightModule} for a target in batches. Memory grows only with the number of classes; nothing is read back. */
export class ClassWeightAccumulator {
  private readonly sums: SoftmaxColumnSums;

  constructor(
    gpu: Gpu,
    private readonly options: AccumulatorOptions,
  ) {
    checkOptions('ClassWeightAccumulator', options, accumulatorChecks, ['numClasses']);
    const { numClasses, temperature = 0.1 } = options;
    this.sums = new SoftmaxColumnSums(gpu, numClasses, temperature);
  }

  /** Adds a batch. logits: f32 [n, numClasses] */
  add(logits: Tensor): void {
    this.sums.add(logits);
  }

  /** Writes the class weights of all batches since the last `finish` into `into`, f32 [numClasses], and starts over. */
  finish(into: Tensor): void {
    this.sums.take(into);
    normalised(into, this.options);
  }

  /** Forgets all batches that were added. */
  reset(): void {
    this.sums.reset();
  }

  dispose(): void {
    this.sums.dispose();
  }
}

function normalised(w: Tensor, { classWeights = 'mean', share = 0.3 }: ClassWeightOptions): Tensor {
  const constants = { LANES: 64, SATURATING: Number(classWeights === 'saturating') };
  kernel.normalise({ w }, { cols: w.size, share, floor: 0 }, 1, { constants });
  return w;
}

/**
 * Raises class weights to at least `floor`, from 0 to 1: floor + (1 - floor) w. With weights that may reach 0, a loss may have a
 * constant answer as its optimum. classWeight: f32 [C]. Returns f32 [C], no gradient.
 */
export function raiseClassWeight(classWeight: Tensor, floor: number): Tensor {
  checkValue('raiseClassWeight', 'floor', floor, floors);
  expectShape('raiseClassWeight', 'classWeight', classWeight, [classWeight.size]);
  const raised = empty(classWeight.gpu, classWeight.shape, 'f32', 'raised class weight');
  raiseInto(classWeight, floor, raised);
  return raised;
}

/** @internal {@link raiseClassWeight}, written into `y`. */
export function raiseInto(classWeight: Tensor, floor: number, y: Tensor): void {
  kernel.raise({ wIn: classWeight, y }, { cols: y.size, share: 1, floor }, Math.ceil(y.size / 64));
}
