import { checkWhole } from '../checkNumbers.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { CountedScalar } from '../gpu/scalar.ts';
import { batchNorm } from '../ops/batchNorm.ts';
import { showShape } from '../shape.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { constantParameter } from './init.ts';
import type { Parameter } from './parameter.ts';
import { RectifyingModule } from './rectifying.ts';

export interface BatchNormOptions {
  /** Features, or channels, that are each normalised over the batch. */
  numFeatures: number;
  /** Keeps the deviation from zero: 1e-5 by default. */
  eps?: number;
  /** Share of the latest batch in the running statistics: 0.1 by default; null gives all batches the same. */
  momentum?: number | null;
}

abstract class BatchNorm extends RectifyingModule {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  private readonly eps: number;
  /** What the next batch has in the running statistics. */
  private readonly share: CountedScalar;

  constructor(
    gpu: Gpu,
    { numFeatures, eps = 1e-5, momentum = 0.1 }: BatchNormOptions,
    private readonly name: string,
    private readonly dimensions: readonly number[],
  ) {
    super();
    checkWhole(name, { numFeatures });
    if (!(eps >= 0 && Number.isFinite(eps))) throw new RangeError(`${name}: eps must be a number >= 0 but is ${eps}`);
    if (momentum !== null && !(momentum >= 0 && momentum <= 1))
      throw new RangeError(`${name}: momentum must be in [0, 1], or null, but is ${momentum}`);
    const shape = [numFeatures];
    this.eps = eps;
    this.weight = constantParameter(gpu, shape, 1, 'weight');
    this.bias = constantParameter(gpu, shape, 0, 'bias');
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
    );
  }

  forward(x: Tensor, { relu = false }: { relu?: boolean } = {}): Tensor {
    if (!this.dimensions.includes(x.shape.length)) {
      const wanted = this.dimensions.map((n) => `${n}-dimensional`).join(' or ');
      throw new TypeError(`${this.name}: x must be ${wanted} but is ${showShape(x.shape)}`);
    }
    const { weight, bias, runningMean, runningVar, training, eps, share: momentum } = this;
    return batchNorm(x, { weight, bias, runningMean, runningVar, training, momentum, eps, relu });
  }
}

/**
 * (x - mean) / sqrt(variance + eps) * weight + bias of each feature, over the batch while training, from running statistics
 * in eval mode (`torch.nn.BatchNorm1d`; Ioffe & Szegedy 2015). x: [n, c] or [n, c, length].
 */
export class BatchNorm1d extends BatchNorm {
  constructor(gpu: Gpu, options: BatchNormOptions) {
    super(gpu, options, 'BatchNorm1d', [2, 3]);
  }
}

/** {@link BatchNorm1d} of images, x: [n, c, h, w] (`torch.nn.BatchNorm2d`). */
export class BatchNorm2d extends BatchNorm {
  constructor(gpu: Gpu, options: BatchNormOptions) {
    super(gpu, options, 'BatchNorm2d', [4]);
  }
}
