import { checkWhole } from '../checkNumbers.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { imageBatch, type PackedImages } from '../ops/imageBatch.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';

/** Images in host memory: bytes row by row, image by image, with one label each if they have any. */
export interface HostImages {
  images: Uint8Array;
  labels?: Uint8Array | undefined;
  count: number;
  height: number;
  width: number;
}

/** One batch of images, and their labels where there are any. */
export interface Batch {
  /** f32 [n, channels, height, width], in [-1, 1]. */
  x: Tensor;
  /** u32 [n]. */
  labels: Tensor | null;
}

/**
 * Images that live on the GPU as bytes. Iterating gives batches in order, the last short one included; each is freed when
 * the next is drawn.
 */
export class ImageDataset implements PackedImages, Iterable<Batch> {
  readonly count: number;
  readonly channels = 1;
  readonly height: number;
  readonly width: number;
  readonly images: Tensor;
  readonly labels: Tensor | null;
  /** 0, 1, 2, ...: the order of the files. */
  private readonly inOrder: Tensor;

  constructor(
    gpu: Gpu,
    host: HostImages,
    readonly batchSize: number,
    { labelled = host.labels !== undefined, label = 'data' }: { labelled?: boolean; label?: string } = {},
  ) {
    const { images, labels, count, height, width } = host;
    if (images.length !== count * height * width) {
      throw new TypeError(
        `${label}: ${count} images of ${height}x${width} want ${count * height * width} bytes but have ${images.length}`,
      );
    }
    for (const bytes of [images, labelled ? labels : undefined]) {
      if (bytes && bytes.BYTES_PER_ELEMENT !== 1)
        throw new TypeError(
          `${label}: pixels and labels must be a Uint8Array each but one is ${bytes.constructor.name}`,
        );
    }
    checkWhole(label, { batchSize });
    if (count === 0) throw new TypeError(`${label}: no images; at least one is needed`);
    if (labelled && labels?.length !== count)
      throw new TypeError(`${label}: ${count} images but ${labels?.length ?? 'no'} labels`);
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

  /** The images from `start` on, `batchSize` of them or what is left; the caller's to dispose. */
  batchAt(start: number): Batch {
    return imageBatch(this, { order: this.inOrder, offset: start, size: Math.min(this.batchSize, this.count - start) });
  }

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

  dispose(): void {
    for (const x of [this.images, this.labels, this.inOrder]) x?.dispose();
  }
}

/** Bytes as little-endian words, padded with zeros. */
function packBytes(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  for (let i = 0; i < bytes.length; i++) words[i >> 2]! |= bytes[i]! << (8 * (i & 3));
  return words;
}
