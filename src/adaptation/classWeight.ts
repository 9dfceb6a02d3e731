import source from '../../shaders/classWeight.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { temperatures } from '../ops/softmax.ts';
import { SoftmaxColumnSums, softmaxColumnMean } from '../ops/softmaxColumnMean.ts';
import type { Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('classWeight', [rowsSource, source], ['normalise']);

export interface ClassWeightOptions {
  /** Temperature of the softmax. The lower it is, the more a prediction counts only for its most likely class. Default: 0.1. */
  temperature?: number;
}

const checks: OptionChecks<ClassWeightOptions> = { temperature: temperatures };

type AccumulatorOptions = ClassWeightOptions & { numClasses: number };
const accumulatorChecks: OptionChecks<AccumulatorOptions> = {
  temperature: temperatures,
  numClasses: /* @__PURE__ */ wholeFrom(1),
};

/**
 * Estimates from the classifier's predictions which source classes the target contains (TLlib `ClassWeightModule`; Cao et
 * al., "Partial Adversarial Domain Adaptation", ECCV 2018). The weights are the mean over rows of softmax(logits / T), divided
 * by its largest element.
 */
export class ClassWeightModule {
  readonly temperature: number;

  constructor(options: ClassWeightOptions = {}) {
    checkOptions('ClassWeightModule', options, checks);
    this.temperature = options.temperature ?? 0.1;
  }

  /** logits: f32 [n, C], of target images. Returns f32 [C]; the largest is 1. No gradient. All NaN if a logit is NaN. */
  forward(logits: Tensor): Tensor {
    return normalised(softmaxColumnMean(logits, this));
  }
}

/** {@link ClassWeightModule} for a target in batches. Memory grows only with the number of classes; nothing is read back. */
export class ClassWeightAccumulator {
  private readonly sums: SoftmaxColumnSums;

  constructor(gpu: Gpu, options: AccumulatorOptions) {
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
    normalised(into);
  }

  /** Forgets all batches that were added. */
  reset(): void {
    this.sums.reset();
  }

  dispose(): void {
    this.sums.dispose();
  }
}

function normalised(w: Tensor): Tensor {
  kernel.normalise({ w }, { cols: w.size }, 1, { constants: { LANES: 64 } });
  return w;
}
