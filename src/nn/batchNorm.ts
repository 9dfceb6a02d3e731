// BatchNorm1d and BatchNorm2d. In training mode they normalise with the statistics of the batch and update the running ones, in eval mode
// and when frozen with the running ones.
import { atLeast, checkOptions, checkValue, type OptionChecks, orNull, wholeFrom, within } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { CountedScalar } from '../gpu/scalar.ts';
import { batchNorm } from '../ops/batchNorm.ts';
import { showShape } from '../shape.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { constantParameter } from './init.ts';
import { aModule, type Module } from './module.ts';
import type { Parameter } from './parameter.ts';
import { type ForwardOptions, RectifyingModule, wantsRelu } from './rectifying.ts';

export interface BatchNormOptions {
  /** Number of features or channels. */
  numFeatures: number;
  /** Added to the variance, >= 0, so that the deviation is not 0. Default: 1e-5. */
  eps?: number;
  /** Share of the latest batch in the running statistics, from 0 to 1. null takes the mean of all batches. Default: 0.1. */
  momentum?: number | null;
}

const checks: OptionChecks<BatchNormOptions> = {
  numFeatures: /* @__PURE__ */ wholeFrom(1),
  eps: /* @__PURE__ */ atLeast(0),
  momentum: /* @__PURE__ */ orNull(/* @__PURE__ */ within(0, 1)),
};

// Not a field, which a captured step expects to keep its value.
let tracking = true;

abstract class BatchNorm extends RectifyingModule {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  /**
   * Uses the running statistics in training mode too, and leaves them as they are. Weight and bias are trained. Default: false.
   */
  frozen = false;
  private readonly eps: number;
  /** Share of the next batch in the running statistics. */
  private readonly share: CountedScalar;

  constructor(
    gpu: Gpu,
    options: BatchNormOptions,
    private readonly name: string,
    private readonly dimensions: readonly number[],
  ) {
    super();
    checkGpu(name, gpu);
    checkOptions(name, options, checks, ['numFeatures']);
    const { numFeatures, eps = 1e-5, momentum = 0.1 } = options;
    const shape = [numFeatures];
    this.eps = eps;
    this.weight = constantParameter(gpu, shape, 1, 'weight');
    this.bias = constantParameter(gpu, shape, 0, 'bias');
    this.noteParameters();
    this.runningMean = this.registerBuffer(
      'running_mean',
      tensor(gpu, new Float32Array(numFeatures), shape, 'running mean'),
    );
    this.runningVar = this.registerBuffer(
      'running_var',
      tensor(gpu, new Float32Array(numFeatures).fill(1), shape, 'running variance'),
    );
    this.share = this.registerBuffer(
      'num_batches_tracked',
      new CountedScalar((batches) => momentum ?? 1 / (batches + 1)),
      { optional: true },
    );
  }

  override get rectifiesBefore(): boolean {
    return false;
  }

  forward(x: Tensor, options?: ForwardOptions): Tensor {
    const relu = wantsRelu(this.name, options);
    if (!this.dimensions.includes(x.shape.length)) {
      const wanted = this.dimensions.map((n) => `${n}-dimensional`).join(' or ');
      throw new TypeError(`${this.name}: x must be ${wanted} but is ${showShape(x.shape)}`);
    }
    const { weight, bias, runningMean, runningVar, eps, share } = this;
    const momentum = tracking ? share : 0;
    const training = this.training && !this.frozen;
    return batchNorm(x, { weight, bias, runningMean, runningVar, training, momentum, eps, relu });
  }
}

/**
 * Normalises each feature to (x - mean) / sqrt(variance + eps) * weight + bias (`torch.nn.BatchNorm1d`; Ioffe & Szegedy 2015).
 * Mean and variance are those of the batch in training mode, the running statistics in eval mode. x, y: f32 [n, c] or
 * [n, c, length].
 */
export class BatchNorm1d extends BatchNorm {
  constructor(gpu: Gpu, options: BatchNormOptions) {
    super(gpu, options, 'BatchNorm1d', [2, 3]);
  }
}

/** Normalises each channel of images as {@link BatchNorm1d} does (`torch.nn.BatchNorm2d`). x, y: f32 [n, c, h, w]. */
export class BatchNorm2d extends BatchNorm {
  constructor(gpu: Gpu, options: BatchNormOptions) {
    super(gpu, options, 'BatchNorm2d', [4]);
  }
}

/**
 * Freezes every batch norm of a module, or with `false` ends that; see `frozen`. Use it if batches are too small for good statistics,
 * or to keep those of pretrained weights.
 */
export function freezeBatchNorm(module: Module<unknown>, frozen = true): void {
  checkValue('freezeBatchNorm', 'module', module, aModule);
  for (const [, part] of module.namedModules()) if (part instanceof BatchNorm) part.frozen = frozen;
}

/** @internal Runs `fn` while no batch norm moves its running statistics; in training mode they use those of the batch. */
export function withoutTracking<T>(fn: () => T): T {
  tracking = false;
  try {
    return fn();
  } finally {
    tracking = true;
  }
}
