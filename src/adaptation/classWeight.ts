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
  /** Temperature of the softmax: the lower, the less a doubtful prediction counts for its less likely classes. Default: 0.1. */
  temperature?: number;
}

const checks: OptionChecks<ClassWeightOptions> = { temperature: temperatures };

type AccumulatorOptions = ClassWeightOptions & { numClasses: number };
const accumulatorChecks: OptionChecks<AccumulatorOptions> = {
  temperature: temperatures,
  numClasses: /* @__PURE__ */ wholeFrom(1),
};

/**
 * How much each source class takes part in the target, by the classifier's own predictions (TLlib `ClassWeightModule`; Cao
 * et al., "Partial Adversarial Domain Adaptation", ECCV 2018): the mean over rows of softmax(logits / T), divided by its
 * largest element.
 */
export class ClassWeightModule {
  readonly temperature: number;

  constructor(options: ClassWeightOptions = {}) {
    checkOptions('ClassWeightModule', options, checks);
    this.temperature = options.temperature ?? 0.1;
  }

  /** Logits of the target's images, f32 [n, C]. f32 [C], the largest 1, without gradient; NaN if a row has a NaN. */
  forward(logits: Tensor): Tensor {
    return normalised(softmaxColumnMean(logits, this));
  }
}

/** {@link ClassWeightModule} over batches that stream by: memory grows only with the classes, and nothing is read back. */
export class ClassWeightAccumulator {
  private readonly sums: SoftmaxColumnSums;

  constructor(gpu: Gpu, options: AccumulatorOptions) {
    checkOptions('ClassWeightAccumulator', options, accumulatorChecks, ['numClasses']);
    const { numClasses, temperature = 0.1 } = options;
    this.sums = new SoftmaxColumnSums(gpu, numClasses, temperature);
  }

  /** Logits of a batch, f32 [n, numClasses]. */
  add(logits: Tensor): void {
    this.sums.add(logits);
  }

  /** Writes the class weights of all batches since the last `finish` to `into`, f32 [numClasses], and starts over. */
  finish(into: Tensor): void {
    this.sums.take(into);
    normalised(into);
  }

  /** Forgets what was added. */
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
