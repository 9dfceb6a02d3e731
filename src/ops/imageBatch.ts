import source from '../../shaders/imageBatch.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import type { Scalar } from '../gpu/scalar.ts';
import { empty, expectShape, type Tensor } from '../tensor.ts';

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
  /** Where to write the images: [size, channels, height, width]; a new tensor by default. */
  into?: Tensor;
}

/**
 * A batch of images, each pixel as byte / 127.5 - 1, and of their labels (null where the images have none).
 * x: f32 [size, channels, height, width]; labels: u32 [size].
 */
export function imageBatch(
  data: PackedImages,
  { order, offset, size, into }: ImageBatchOptions,
): { x: Tensor; labels: Tensor | null } {
  const { images, channels, height, width } = data;
  const shape = [size, channels, height, width];
  if (into) expectShape('imageBatch', 'into', into, shape);
  const x = into ?? empty(images.gpu, shape, 'f32', 'images');
  const pixels = channels * height * width;
  const params = { offset, size, pixels };
  const groups = Math.ceil((size * pixels) / 64);
  if (!data.labels) {
    kernel.unlabelled({ images, order, x }, params, groups);
    return { x, labels: null };
  }
  const labels = empty(images.gpu, [size], 'u32', 'labels');
  kernel.labelled({ images, order, x, allLabels: data.labels, labels }, params, groups);
  return { x, labels };
}
