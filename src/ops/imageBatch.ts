// Images stay on the GPU as bytes. A batch is one dispatch that gathers, normalises and labels the images of a stretch of a
// permutation. `into` lets the batches of source and target be written into one tensor.
import source from '../../shaders/imageBatch.wgsl';
import { checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { orScalar, type Scalar, scalarValue } from '../gpu/scalar.ts';
import { sameShape, showShape, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('imageBatch', source, ['labelled', 'unlabelled']);

/** Images on the GPU: one byte per pixel, four per `u32`, with optional labels. */
export interface PackedImages {
  images: Tensor;
  labels: Tensor | null;
  count: number;
  channels: number;
  height: number;
  width: number;
}

export interface ImageBatchOptions {
  /** u32 [n]: which image is at each place. An index >= count gives pixels of NaN and the label 2^32 - 1. */
  order: Tensor;
  /** Place of the batch's first image in `order`. */
  offset: number | Scalar;
  /** Number of images in the batch. */
  size: number;
  /** Where to write the images: f32 [row + size or more, channels, height, width]. Default: a new tensor. */
  into?: Tensor;
  /** First row of `into` to write. Default: 0. */
  row?: number;
}

const checks: OptionChecks<ImageBatchOptions> = {
  order: aTensor,
  offset: /* @__PURE__ */ orScalar(wholeFrom(0)),
  size: /* @__PURE__ */ wholeFrom(0),
  into: aTensor,
  row: /* @__PURE__ */ wholeFrom(0),
};

/**
 * Makes a normalised batch of images and their labels: each pixel is byte / 127.5 - 1. x: f32 [size, channels, height, width], or
 * all of `into`; labels: u32 [size], or null if the images have none.
 *
 * @throws TypeError if the images do not fit in `into`
 * @throws RangeError if `order` has fewer than `size` places from `offset` on
 */
export function imageBatch(data: PackedImages, options: ImageBatchOptions): { x: Tensor; labels: Tensor | null } {
  checkOptions('imageBatch', options, checks, ['order', 'offset', 'size']);
  const { order, offset, size, into, row = 0 } = options;
  expectDtype('imageBatch', 'images', data?.images, 'u32');
  const { images, channels, height, width, count } = data;
  expectDtype('imageBatch', 'order', order, 'u32');
  if (into) expectDtype('imageBatch', 'into', into, 'f32');
  if (data.labels) expectShape('imageBatch', 'labels', data.labels, [count], 'u32');
  if (!(scalarValue(offset) + size <= order.size)) {
    throw new RangeError(
      `imageBatch: order has ${order.size} places, but ${size} from offset ${scalarValue(offset)} on are needed`,
    );
  }
  const image = [channels, height, width];
  const words = Math.ceil((count * sizeOf(image)) / 4);
  if (!(images.size >= words)) {
    throw new TypeError(
      `imageBatch: images has ${images.size} words, but ${count} images of ${showShape(image)} bytes take ${words}`,
    );
  }
  const x = into ?? empty(images.gpu, [size, ...image], 'f32', 'images');
  if (!sameShape(x.shape.slice(1), image) || row + size > x.shape[0]!) {
    throw new TypeError(
      `imageBatch: ${size} images ${showShape(image)} from row ${row} on do not fit in into, which is ${showShape(x.shape)}`,
    );
  }
  const pixels = sizeOf(image);
  const params = { offset, size, pixels, row, count };
  const groups = Math.ceil(Math.max(size, (size * pixels) / 4) / 64);
  // A batch touches only its own part of the data: a byte and a float per pixel, and a number per image.
  const bytes = 5 * size * pixels + 4 * size;
  if (!data.labels) {
    kernel.unlabelled({ images, order, x }, params, groups, { bytes });
    return { x, labels: null };
  }
  const labels = empty(images.gpu, [size], 'u32', 'labels');
  kernel.labelled({ images, order, x, allLabels: data.labels, labels }, params, groups, { bytes: bytes + 8 * size });
  return { x, labels };
}
