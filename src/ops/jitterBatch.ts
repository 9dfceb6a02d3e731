// Data augmentation on the GPU: imageBatch with a random change of each image. The random numbers are a hash of the image's place in
// the batch, the number of the draw and the seed, so only the number of the draw changes from step to step.
import affine from '../../shaders/affine.wgsl';
import source from '../../shaders/jitterBatch.wgsl';
import randomSource from '../../shaders/random.wgsl';
import { atLeast, checkOptions, type OptionChecks, oneOf, wholeWithin, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { type Counter, orScalar, type Scalar } from '../gpu/scalar.ts';
import type { Tensor } from '../tensor.ts';
import { beginImages, type PackedImages } from './imageBatch.ts';
import type { BatchRequest } from './shared/batch.ts';
import { aCounter } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('jitterBatch', [affine, randomSource, source], ['labelled', 'unlabelled']);

// Width and height of a workgroup's tile, as in the shader.
const TILE = 32;

/** How much images change at random. Each amount defaults to 0, which changes nothing. */
export interface JitterAmounts {
  /** Largest angle of rotation, in degrees, either way. */
  rotation?: number;
  /** Width and height are each multiplied by 1 - scale to 1 + scale, independently. Below 1. */
  scale?: number;
  /** Largest change of the size: width and height are both multiplied by 1 / (1 + zoom) to 1 + zoom. */
  zoom?: number;
  /** Largest change of the shape: the width is multiplied, and the height divided, by 1 / (1 + aspect) to 1 + aspect. */
  aspect?: number;
  /** Largest slant: a shear moves the upper and lower border apart by up to this share of the image's height. */
  shear?: number;
  /** Largest shift, as a share of width and height. */
  translate?: number;
  /** Probability of mirroring left and right. */
  flip?: number;
  /** Elastic distortion: a smooth random field moves each pixel by up to this share of width and height. */
  elastic?: number;
  /** Largest share of the mean over 3 x 3 pixels that is mixed into each pixel. */
  blur?: number;
  /** Brightness is multiplied by 1 / (1 + gain) to 1 + gain, so bright strokes on black look thicker or thinner. */
  gain?: number;
  /** Pixels outside an image: 'zeros' (black), or 'border' (the pixels of the border repeated). Default: 'zeros'. */
  padding?: 'zeros' | 'border';
  /** Colours move away from grey, or towards it, by a factor of 1 - saturation to 1 + saturation. Grey images do not change. */
  saturation?: number;
  /** Brightness moves away from mid grey, or towards it, by a factor of 1 - contrast to 1 + contrast. */
  contrast?: number;
  /** Largest brightness that is added, as a share of the range from black to white. */
  brightness?: number;
  /** Largest amount that is added to each channel by itself, as a share of the same range. */
  channelShift?: number;
}

export interface JitterOpOptions extends JitterAmounts {
  /** Seed of the random stream, a whole number below 2^32. */
  seed: number | Scalar;
  /** Number of the draw in the random stream; advances at each use. The same seed and number change images alike. */
  counter: Counter;
}

const share = /* @__PURE__ */ within(0, 1);

/** @internal */
export const amountChecks: OptionChecks<JitterAmounts> = {
  rotation: /* @__PURE__ */ within(0, 180),
  scale: /* @__PURE__ */ within(0, 0.99),
  zoom: /* @__PURE__ */ atLeast(0),
  aspect: /* @__PURE__ */ atLeast(0),
  shear: /* @__PURE__ */ atLeast(0),
  elastic: /* @__PURE__ */ atLeast(0),
  blur: share,
  gain: /* @__PURE__ */ atLeast(0),
  translate: /* @__PURE__ */ atLeast(0),
  flip: share,
  padding: /* @__PURE__ */ oneOf('zeros', 'border'),
  saturation: share,
  contrast: share,
  brightness: share,
  channelShift: share,
};
const checks: OptionChecks<JitterOpOptions> = {
  ...amountChecks,
  seed: /* @__PURE__ */ orScalar(/* @__PURE__ */ wholeWithin(0, 2 ** 32 - 1)),
  counter: aCounter,
};

/**
 * Makes a batch as {@link imageBatch} does, with each image moved and recoloured at random. First the affine map and the elastic field,
 * sampled bilinearly as PyTorch's `grid_sample` does with `align_corners = false`; then blur, gain, saturation, contrast, brightness and
 * channels, clamped to the range from black to white.
 *
 * @throws TypeError if the images do not fit in `into`, or are not of 1 or 3 channels
 * @throws RangeError for an amount out of range, or if `order` has fewer than `size` places from `offset` on
 */
export function jitterBatch(
  data: PackedImages,
  request: BatchRequest,
  options: JitterOpOptions,
): { x: Tensor; labels: Tensor | null } {
  checkOptions('jitterBatch', options, checks, ['seed', 'counter']);
  const { x, labels, channels, mean, std } = beginImages('jitterBatch', data, request);
  const { images, count, labels: allLabels } = data;
  const [, height, width] = data.shape as [number, number, number];
  const { order, offset, size, row = 0 } = request;
  const { rotation = 0, scale = 0, zoom = 0, aspect = 0, shear = 0, translate = 0, flip = 0, elastic = 0 } = options;
  const { padding = 'zeros', blur = 0, gain = 0 } = options;
  const { saturation = 0, contrast = 0, brightness = 0, channelShift = 0, seed, counter: draw } = options;
  const [meanR, meanG = 0, meanB = 0] = mean as [number];
  const [stdR, stdG = 1, stdB = 1] = std as [number];
  const params = {
    ...{ offset, size, height, width, row, count, draw, seed },
    ...{ rotation: (rotation * Math.PI) / 180, scale, logZoom: Math.log1p(zoom), logAspect: Math.log1p(aspect) },
    ...{ shear, translate, flip, elastic, blur, logGain: Math.log1p(gain) },
    ...{ saturation, contrast, brightness, channelShift },
    ...{ meanR, meanG, meanB, stdR, stdG, stdB },
  };
  // A tile has a pixel around it.
  const TILE_SIZE = channels * (TILE + 2) ** 2;
  const constants = { CHANNELS: channels, TILE_SIZE, BORDER: Number(padding === 'border') };
  const groups = size * Math.ceil(height / TILE) * Math.ceil(width / TILE);
  const bytes = 5 * size * channels * height * width + 4 * size;
  if (labels)
    kernel.labelled({ images, order, x, allLabels: allLabels!, labels }, params, groups, {
      bytes: bytes + 8 * size,
      constants,
    });
  else kernel.unlabelled({ images, order, x }, params, groups, { bytes, constants });
  return { x, labels };
}
