// Images stay on the GPU as bytes. A batch is one dispatch that gathers, normalises and labels the images of a stretch of a
// permutation. `into` lets the batches of source and target be written into one tensor.
import source from '../../shaders/imageBatch.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { showShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { type BatchRequest, beginBatch, type Examples } from './shared/batch.ts';
import { expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('imageBatch', source, ['labelled', 'unlabelled']);

/**
 * Images on the GPU: one byte per pixel and channel, four per `u32`, with optional labels. `shape` is [channels, height, width],
 * with 1 or 3 channels.
 */
export interface PackedImages extends Examples {
  images: Tensor;
  /** The mean of each channel, for pixels in [0, 1]. Default: 0.5. */
  mean?: readonly number[];
  /** The standard deviation of each channel. Default: 0.5. */
  std?: readonly number[];
}

const HALF = [0.5, 0.5, 0.5];

/**
 * @internal
 * Checks images and a request, and returns the tensors that the batch is written to, and the images' mean and deviation.
 */
export function beginImages(who: string, data: PackedImages, request: BatchRequest) {
  expectDtype(who, 'images', data?.images, 'u32');
  const { images, shape, count, mean = HALF, std = HALF } = data;
  const [channels] = shape;
  if (shape.length !== 3 || !(channels === 1 || channels === 3))
    throw new TypeError(`${who}: shape must be [1 or 3, height, width] but is ${showShape(shape)}`);
  if (mean.length < channels || std.length < channels)
    throw new TypeError(`${who}: mean and std must have a number for each of ${channels} channels`);
  const batch = beginBatch(who, data, request);
  const words = Math.ceil((count * sizeOf(shape)) / 4);
  if (!(images.size >= words)) {
    throw new TypeError(
      `${who}: images has ${images.size} words, but ${count} images of ${showShape(shape)} bytes take ${words}`,
    );
  }
  return { ...batch, channels, mean, std };
}

/**
 * Makes a normalised batch of images and their labels: each pixel is (byte / 255 - mean) / std. x: f32 [size, channels, height,
 * width], or all of `into`; labels: u32 [size], or null if the images have none.
 *
 * @throws TypeError if the images do not fit in `into`, or are not of 1 or 3 channels
 * @throws RangeError if `order` has fewer than `size` places from `offset` on
 */
export function imageBatch(data: PackedImages, request: BatchRequest): { x: Tensor; labels: Tensor | null } {
  const { x, labels, channels, mean, std } = beginImages('imageBatch', data, request);
  const { images, shape, count, labels: allLabels } = data;
  const { order, offset, size, row = 0, next } = request;
  const then = next ?? { data, order, offset: 0, size: 0 };
  const { images: nextImages, count: nextCount } = then.data as PackedImages;
  const pixels = sizeOf(shape);
  const params = {
    offset,
    size,
    pixels,
    row,
    count,
    plane: pixels / channels,
    nextOffset: then.offset,
    nextSize: then.size,
    nextCount,
  };
  const [DIVISOR_R, DIVISOR_G = 1, DIVISOR_B = 1] = std.map((deviation) => 255 * deviation) as [number];
  const [SHIFT_R, SHIFT_G = 0, SHIFT_B = 0] = std.map((deviation, c) => mean[c]! / deviation) as [number];
  const constants = {
    PAIR: Number(!!next),
    RGB: Number(channels === 3),
    DIVISOR_R,
    DIVISOR_G,
    DIVISOR_B,
    SHIFT_R,
    SHIFT_G,
    SHIFT_B,
  };
  const all = size + then.size;
  const groups = Math.ceil(Math.max(size, (all * pixels) / 4) / 64);
  // A batch touches only its own part of the data: a byte and a float per pixel, and a number per image.
  const bytes = 5 * all * pixels + 4 * all;
  const bindings = { images, order, x, nextImages, nextOrder: then.order };
  if (labels)
    kernel.labelled({ ...bindings, allLabels: allLabels!, labels }, params, groups, {
      bytes: bytes + 8 * size,
      constants,
    });
  else kernel.unlabelled(bindings, params, groups, { bytes, constants });
  return { x, labels };
}
