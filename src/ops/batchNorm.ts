// One dispatch normalises a batch: each channel belongs to one workgroup, which reduces its values and then writes them. If
// few channels have many values, that would keep most of the GPU idle. Then the batch is cut into slices of images: a first
// dispatch reduces each slice, and a second one joins the slices and writes.
import source from '../../shaders/batchNorm.wgsl';
import { record } from '../autograd.ts';
import { atLeast, checkOptions, flag, type OptionChecks, within } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { orScalar, type Scalar } from '../gpu/scalar.ts';
import { showShape, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { refuseTraining } from './shared/evaluation.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('batchNorm', source, [
  'forward',
  'sliceMoments',
  'forwardSlices',
  'backward',
  'sliceSlopes',
  'backwardSlices',
]);

export interface BatchNormOpOptions {
  /** Scale of each channel: f32 [c]. */
  weight: Tensor;
  /** Shift of each channel: f32 [c]. */
  bias: Tensor;
  /** f32 [c]: used in eval mode, updated in place in training mode. */
  runningMean: Tensor;
  /** f32 [c]: used and updated like `runningMean`, with the unbiased variance. */
  runningVar: Tensor;
  /** Normalises with the mean and variance of the batch; if false, with the running ones. */
  training: boolean;
  /** Share of this batch in the running statistics, from 0 to 1. */
  momentum: number | Scalar;
  /** Added to the variance, >= 0, so that the deviation is not 0. */
  eps: number;
  /** Applies ReLU to the output, in the same dispatch. Default: false. */
  relu?: boolean;
}

const checks: OptionChecks<BatchNormOpOptions> = {
  weight: aTensor,
  bias: aTensor,
  runningMean: aTensor,
  runningVar: aTensor,
  training: flag,
  momentum: /* @__PURE__ */ orScalar(within(0, 1)),
  eps: /* @__PURE__ */ atLeast(0),
  relu: flag,
};
const required = ['weight', 'bias', 'runningMean', 'runningVar', 'training', 'momentum', 'eps'] as const;

/**
 * Normalises each channel to (x - mean) / sqrt(variance + eps) * weight + bias (`torch.nn.functional.batch_norm`; Ioffe & Szegedy
 * 2015). x, y: f32 [n, c], [n, c, length] or [n, c, h, w]. x, weight and bias get gradients. A running variance below 0 gives NaN.
 *
 * @throws RangeError in training mode if a channel has fewer than two values, and so no variance
 * @throws TypeError if the shapes do not fit each other
 */
export function batchNorm(x: Tensor, options: BatchNormOpOptions): Tensor {
  expectDtype('batchNorm', 'x', x, 'f32');
  checkOptions('batchNorm', options, checks, required);
  const { weight, bias, runningMean, runningVar, training, momentum, eps, relu = false } = options;
  if (training) refuseTraining('batchNorm');
  const { gpu, shape } = x;
  if (shape.length < 2 || shape.length > 4)
    throw new TypeError(`batchNorm: x must be [n,c], [n,c,length] or [n,c,h,w] but is ${showShape(shape)}`);
  const [n, c] = shape as [number, number];
  for (const [name, each] of Object.entries({ weight, bias, runningMean, runningVar }))
    expectShape('batchNorm', name, each, [c]);
  const spatial = sizeOf(shape.slice(2));
  if (training && n * spatial < 2) {
    throw new RangeError(
      `batchNorm: Expected more than 1 value per channel when training, but x is ${showShape(shape)}; use a larger batch, or eval()`,
    );
  }

  const { constants, grid, images } = split(gpu, n, c, spatial);
  const slices = grid[1];
  const params = {
    ...{ n, c, spatial, slices, images, eps, relu: Number(relu), wantsX: 1 },
    ...{ training: Number(training), momentum: training ? momentum : 0 },
  };
  const y = empty(gpu, shape, 'f32', 'batchNorm');
  const stats = empty(gpu, [c, 4], 'f32', 'batchNorm statistics');
  const sliced = () => empty(gpu, [slices, c, 4], 'f32', 'batchNorm slices');
  const bindings = { x, weight, bias, runningMean, runningVar, stats, y };
  if (training && slices > 1) {
    const partial = sliced();
    // A counter advances at each use, so only one of the two dispatches gets it.
    kernel.sliceMoments({ x, partial }, { ...params, momentum: 0 }, grid, { constants });
    kernel.forwardSlices({ ...bindings, partials: partial }, params, grid, { constants });
    partial.dispose();
  } else {
    kernel.forward(bindings, params, grid, { constants });
  }
  return record('batchNorm', [x, weight, bias], y, [stats, y], (dy, gradient) => {
    const wantsX = gradient.needs(0);
    const dx = wantsX ? gradient.into(0) : empty(gpu, [1]);
    const dweight = gradient.needs(1) ? gradient.into(1) : empty(gpu, [c]);
    const dbias = gradient.needs(2) ? gradient.into(2) : empty(gpu, [c]);
    const inputs = { x, saved: stats, yIn: relu ? y : x, dy };
    const outputs = { dx, dweight, dbias };
    const own = { ...params, momentum: 0, wantsX: Number(wantsX) };
    if (slices > 1) {
      const partial = sliced();
      kernel.sliceSlopes({ ...inputs, partial }, own, grid, { constants });
      kernel.backwardSlices({ ...inputs, ...outputs, partials: partial }, own, grid, { constants });
    } else {
      kernel.backward({ ...inputs, ...outputs }, own, grid, { constants });
    }
    return [wantsX ? dx : null, gradient.needs(1) ? dweight : null, gradient.needs(2) ? dbias : null];
  });
}

// A second dispatch costs more than a slice with fewer values.
const LEAST_SLICE = 2048;

/**
 * Chooses how a workgroup splits its work: ACROSS channels, IMAGES images and PLACES places of an image side by side. Slices of
 * images make enough workgroups to keep the whole GPU busy. On a CPU barriers are expensive, so each channel has one lane and
 * needs none. On a GPU neighbouring lanes should read neighbouring memory.
 */
function split(gpu: Gpu, n: number, c: number, spatial: number) {
  const gpuLike = gpu.kind === 'gpu';
  const PLACES = gpuLike ? Math.min(32, powerOf2(spatial)) : 1;
  const ACROSS = PLACES === 1 ? 8 : 1;
  const IMAGES = gpuLike ? Math.min(256 / PLACES / ACROSS, powerOf2(n)) : 1;
  const groups = Math.ceil(c / ACROSS);
  const wanted = Math.min(Math.ceil((gpuLike ? 256 : 8) / groups), Math.floor((n * spatial) / LEAST_SLICE));
  const images = Math.max(1, Math.ceil(n / Math.max(1, wanted)));
  const grid = [groups, Math.max(1, Math.ceil(n / images))] as const;
  return { constants: { ACROSS, IMAGES, PLACES, WG: ACROSS * IMAGES * PLACES }, grid, images };
}

/** Returns the smallest power of two that is not below `n`. */
const powerOf2 = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));
