import source from '../../shaders/imageBatch.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import type { Scalar } from '../gpu/scalar.ts';
import { touching } from '../gpu/storage.ts';
import { sameShape, showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('imageBatch', source, ['labelled', 'unlabelled']);

/** Images on the GPU as bytes, four to a `u32`, with their labels if they have any. */
export interface PackedImages {
  images: Tensor;
  labels: Tensor | null;
  count: number;
  channels: number;
  height: number;
  width: number;
}

export interface ImageBatchOptions {
  /** `u32` [count]: which image comes at which place. */
  order: Tensor;
  /** Place of the batch's first image in `order`. */
  offset: number | Scalar;
  /** Images in the batch. */
  size: number;
  /** Where to write the images: [row + size or more, channels, height, width]; a new tensor by default. */
  into?: Tensor;
  /** The first row of `into` to write: 0 by default. */
  row?: number;
}

/**
 * A batch of images, each pixel as byte / 127.5 - 1, and of their labels (null where the images have none).
 * x: f32 [size, channels, height, width], or all of `into`; labels: u32 [size].
 *
 * @throws TypeError where the images do not fit in `into`
 */
export function imageBatch(
  data: PackedImages,
  { order, offset, size, into, row = 0 }: ImageBatchOptions,
): { x: Tensor; labels: Tensor | null } {
  const { images, channels, height, width } = data;
  const image = [channels, height, width];
  const x = into ?? empty(images.gpu, [size, ...image], 'f32', 'images');
  if (!sameShape(x.shape.slice(1), image) || !(row >= 0 && row + size <= x.shape[0]!)) {
    throw new TypeError(
      `imageBatch: ${size} images ${showShape(image)} from row ${row} on do not fit in into, which is ${showShape(x.shape)}`,
    );
  }
  const pixels = channels * height * width;
  const params = { offset, size, pixels, row };
  const groups = Math.ceil(Math.max(size, (size * pixels) / 4) / 64);
  const batch = {
    images: touching(size * pixels, images),
    order: touching(4 * size, order),
    x: touching(4 * size * pixels, x),
  };
  if (!data.labels) {
    kernel.unlabelled(batch, params, groups);
    return { x, labels: null };
  }
  const labels = empty(images.gpu, [size], 'u32', 'labels');
  kernel.labelled({ ...batch, allLabels: touching(4 * size, data.labels), labels }, params, groups);
  return { x, labels };
}
