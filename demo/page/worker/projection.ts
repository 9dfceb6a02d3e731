// The two principal components of a network's features. The axes continue from one snapshot to the next, so a few
// rounds keep up with features that change slowly, and the picture turns instead of jumping.
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { add } from '../../../src/ops/add.ts';
import { columnMean } from '../../../src/ops/columnMean.ts';
import { concat } from '../../../src/ops/concat.ts';
import { exp } from '../../../src/ops/exp.ts';
import { log } from '../../../src/ops/log.ts';
import { matmul } from '../../../src/ops/matmul.ts';
import { mul } from '../../../src/ops/mul.ts';
import { scale } from '../../../src/ops/scale.ts';
import { slice } from '../../../src/ops/slice.ts';
import { sub } from '../../../src/ops/sub.ts';
import { sum } from '../../../src/ops/sum.ts';
import { Random } from '../../../src/random.ts';
import { type Tensor, tensor, write } from '../../../src/tensor.ts';
import { keep } from '../../../src/tidy.ts';

const ROUNDS = 6;
// Far below the square of any length other than zero.
const TINY = 1e-30;

export class Projection {
  /** [2, d]: random at first, afterwards orthonormal rows. */
  private readonly axes: Tensor;
  private readonly tiny: Tensor;

  constructor(gpu: Gpu, dimensions: number) {
    const random = new Random(0);
    const start = Float32Array.from({ length: 2 * dimensions }, () => random.uniform() - 0.5);
    this.axes = keep(tensor(gpu, start, [2, dimensions], 'axes'));
    this.tiny = keep(tensor(gpu, TINY, [], 'tiny'));
  }

  /**
   * Returns the axes and the coordinates [n, 2] of features [n, d], by ROUNDS of orthogonal iteration: multiply the axes
   * by the scatter matrix, then make them orthonormal. It consists of ops only, so it can be captured.
   */
  project(features: Tensor): { points: Tensor; axes: Tensor } {
    const centred = sub(features, columnMean(features));
    const scatter = matmul(centred, centred, { transposeA: true });
    let axes = this.axes;
    for (let i = 0; i < ROUNDS; i++) axes = this.orthonormal(matmul(axes, scatter));
    return { points: matmul(centred, axes, { transposeB: true }), axes };
  }

  /** Makes the next call of `project` start from these axes. */
  continueFrom(axes: Float32Array): void {
    write(this.axes, axes);
  }

  dispose(): void {
    this.axes.dispose();
    this.tiny.dispose();
  }

  /** Makes two rows orthonormal by the Gram-Schmidt process. */
  private orthonormal(rows: Tensor): Tensor {
    const first = this.unit(slice(rows, 0, 1));
    const second = slice(rows, 1, 2);
    return concat([first, this.unit(sub(second, mul(sum(mul(first, second)), first)))]);
  }

  /** Returns x / |x|, or 0 for x = 0. Uses 1 / sqrt(s) = exp(-log(s) / 2). */
  private unit(x: Tensor): Tensor {
    return mul(x, exp(scale(log(add(sum(mul(x, x)), this.tiny)), -0.5)));
  }
}
