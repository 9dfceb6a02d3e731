import type { Gpu } from '../../../src/gpu/gpu.ts';
import { add } from '../../../src/ops/add.ts';
import { columnMean } from '../../../src/ops/columnMean.ts';
import { concat } from '../../../src/ops/concat.ts';
import { exp } from '../../../src/ops/exp.ts';
import { log } from '../../../src/ops/log.ts';
import { matmul } from '../../../src/ops/matmul.ts';
import { mul } from '../../../src/ops/mul.ts';
import { scale } from '../../../src/ops/scale.ts';
import { sliceRows } from '../../../src/ops/sliceRows.ts';
import { sub } from '../../../src/ops/sub.ts';
import { sum } from '../../../src/ops/sum.ts';
import { Random } from '../../../src/random.ts';
import { type Tensor, tensor, write } from '../../../src/tensor.ts';
import { keep } from '../../../src/tidy.ts';

// Axes are carried on from one picture to the next, so a few rounds keep up with features that change slowly, and the
// picture turns rather than jumps.
const ROUNDS = 6;
// Far below the square of any length that is not zero.
const TINY = 1e-30;

/** The two principal components of features, followed while the features change. */
export class Projection {
  /** [2, d], rows orthonormal but for the first, which are random. */
  private readonly axes: Tensor;
  private readonly tiny: Tensor;

  constructor(gpu: Gpu, dimensions: number) {
    const random = new Random(0);
    const start = Float32Array.from({ length: 2 * dimensions }, () => random.uniform() - 0.5);
    this.axes = keep(tensor(gpu, start, [2, dimensions], 'axes'));
    this.tiny = keep(tensor(gpu, TINY, [], 'tiny'));
  }

  /**
   * Orthogonal iteration: the axes times the scatter matrix of the features [n, d] and made orthonormal again, ROUNDS
   * times over. Gives them, and the features' coordinates along them [n, 2]. Only ops, so that it can be captured.
   */
  project(features: Tensor): { points: Tensor; axes: Tensor } {
    const centred = sub(features, columnMean(features));
    const scatter = matmul(centred, centred, { transposeA: true });
    let axes = this.axes;
    for (let i = 0; i < ROUNDS; i++) axes = this.orthonormal(matmul(axes, scatter));
    return { points: matmul(centred, axes, { transposeB: true }), axes };
  }

  /** Goes on from these axes the next time. */
  follow(axes: Float32Array): void {
    write(this.axes, axes);
  }

  dispose(): void {
    this.axes.dispose();
    this.tiny.dispose();
  }

  /** Two rows by the method of Gram and Schmidt. */
  private orthonormal(rows: Tensor): Tensor {
    const first = this.unit(sliceRows(rows, 0, 1));
    const second = sliceRows(rows, 1, 2);
    return concat([first, this.unit(sub(second, mul(sum(mul(first, second)), first)))]);
  }

  /** x / |x|, and 0 where x is; 1 / sqrt(s) = exp(-log(s) / 2). */
  private unit(x: Tensor): Tensor {
    return mul(x, exp(scale(log(add(sum(mul(x, x)), this.tiny)), -0.5)));
  }
}
