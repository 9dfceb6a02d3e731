// Images on the GPU as packed bytes, with their labels. A batch is made by the op imageBatch.
import {
  anything,
  checkOptions,
  checkValue,
  flag,
  type OptionChecks,
  show,
  text,
  wholeFrom,
} from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { imageBatch, type PackedImages } from '../ops/imageBatch.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';

/**
 * Grey images in host memory: one byte per pixel, row by row, image by image. Labels are optional, one byte per image.
 */
export interface HostImages {
  images: Uint8Array | Uint8ClampedArray;
  labels?: Uint8Array | undefined;
  count: number;
  height: number;
  width: number;
}

/** A batch of images, with their labels if the data set has any. */
export interface Batch {
  /** f32 [n, channels, height, width], in [-1, 1]. */
  x: Tensor;
  /** u32 [n]. */
  labels: Tensor | null;
}

interface ImageDatasetOptions {
  labelled?: boolean;
  label?: string;
}

const known: OptionChecks<ImageDatasetOptions> = { labelled: flag, label: text };

const size = wholeFrom(1);
const parts: OptionChecks<HostImages> = {
  images: { wanted: 'a Uint8Array or Uint8ClampedArray, a byte from 0 to 255 per pixel,', holds: isBytes },
  labels: anything,
  count: size,
  height: size,
  width: size,
};

function isBytes(value: unknown): value is Uint8Array | Uint8ClampedArray {
  return /^Uint8(Clamped)?Array$/.test((value as Partial<Uint8Array> | null)?.[Symbol.toStringTag] ?? '');
}

/**
 * @internal
 * Throws unless `host` is what {@link HostImages} describes.
 *
 * @param labelled whether labels are required; if not, they are not checked
 */
export function checkImages(who: string, host: HostImages, labelled: boolean): void {
  checkOptions<HostImages>(who, host, parts, ['images', 'count', 'height', 'width']);
  const { images, labels, count, height, width } = host;
  if (images.length !== count * height * width)
    throw new TypeError(
      `${who}: ${count} images of ${height}x${width} take ${count * height * width} bytes, one per pixel (grey), but there are ${images.length}`,
    );
  if (labelled) checkLabels(who, labels, count);
}

function checkLabels(who: string, labels: unknown, count: number): void {
  const { length } = (labels ?? []) as ArrayLike<unknown>;
  if (length !== count)
    throw new TypeError(`${who}: ${count} images but ${labels ? length : 'no'} labels; pass one label per image`);
  if (isBytes(labels)) return;
  const list = Array.from(labels as ArrayLike<unknown>, Number);
  const wrong = list.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label <= 255));
  if (wrong >= 0)
    throw new RangeError(`${who}: labels are whole numbers from 0 to 255, but image ${wrong} has ${list[wrong]}`);
  throw new TypeError(
    `${who}: labels must be a Uint8Array but are ${show(labels)}; pass Uint8Array.from(labels, Number)`,
  );
}

/**
 * Images on the GPU, one byte per pixel. Iterating yields batches in order, the last one possibly shorter; each batch is freed when
 * the next one is drawn. Default: labelled if `host` has labels.
 *
 * @throws TypeError if the arrays do not hold one byte per pixel and one label per image
 * @throws RangeError if a label is not a whole number from 0 to 255
 */
export class ImageDataset implements PackedImages, Iterable<Batch> {
  readonly count: number;
  readonly channels = 1;
  readonly height: number;
  readonly width: number;
  readonly images: Tensor;
  readonly labels: Tensor | null;
  /** The order of the files: 0, 1, 2, ... */
  private readonly inOrder: Tensor;

  constructor(
    gpu: Gpu,
    host: HostImages,
    readonly batchSize: number,
    options: ImageDatasetOptions = {},
  ) {
    checkOptions('ImageDataset', options, known);
    const { labelled = host?.labels !== undefined, label = 'data' } = options;
    checkImages(label, host, labelled);
    checkValue(label, 'batchSize', batchSize, size);
    const { images, labels, count, height, width } = host;
    this.count = count;
    this.height = height;
    this.width = width;
    this.images = keep(tensor(gpu, packBytes(images), undefined, `${label} images`));
    this.labels = labelled ? keep(tensor(gpu, Uint32Array.from(labels!), undefined, `${label} labels`)) : null;
    this.inOrder = keep(
      tensor(
        gpu,
        Uint32Array.from({ length: count }, (_, i) => i),
        undefined,
        `${label} order`,
      ),
    );
  }

  /** Returns `batchSize` images from `start` on, or those that are left. The caller disposes them. */
  batchAt(start: number): Batch {
    return imageBatch(this, { order: this.inOrder, offset: start, size: Math.min(this.batchSize, this.count - start) });
  }

  /** Yields the batches in order. */
  *[Symbol.iterator](): Iterator<Batch> {
    for (let start = 0; start < this.count; start += this.batchSize) {
      const batch = this.batchAt(start);
      try {
        yield batch;
      } finally {
        batch.x.dispose();
        batch.labels?.dispose();
      }
    }
  }

  /** Frees the GPU memory. */
  dispose(): void {
    for (const x of [this.images, this.labels, this.inOrder]) x?.dispose();
  }
}

/** Packs bytes into little-endian words, padded with zeros. */
function packBytes(bytes: Uint8Array | Uint8ClampedArray): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  for (let i = 0; i < bytes.length; i++) words[i >> 2]! |= bytes[i]! << (8 * (i & 3));
  return words;
}
