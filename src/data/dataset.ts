// Data sets on the GPU. Images stay there as packed bytes, and feature vectors as floats. A batch is made by one op from an order and
// a place in it, so a captured step can draw batches.
import {
  above,
  anyNumber,
  type Check,
  checkOptions,
  checkValue,
  flag,
  type OptionChecks,
  text,
  wholeFrom,
} from '../checks/options.ts';
import { GpuError } from '../gpu/errors.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { type FeatureRows, featureBatch } from '../ops/featureBatch.ts';
import { imageBatch, type PackedImages } from '../ops/imageBatch.ts';
import type { BatchRequest } from '../ops/shared/batch.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';
import {
  checkData,
  exampleShape,
  finiteNumbers,
  type HostData,
  type HostFeatures,
  type HostImages,
  isFeatures,
  labelsOf,
  nounOf,
  positiveNumbers,
} from './host.ts';

/** A batch of examples, with their labels if the data set has any. */
export interface Batch {
  /** f32 [n, ...shape of an example], such as [n, channels, height, width]. */
  x: Tensor;
  /** u32 [n]. */
  labels: Tensor | null;
}

/**
 * Examples on the GPU. Iterating yields batches of `batchSize` in order, the last one possibly shorter; each batch is freed when the
 * next one is drawn. A data set of your own extends this class with `shape` and `batch`, and is accepted wherever
 * {@link ImageDataset} is.
 */
export abstract class Dataset implements Iterable<Batch> {
  /** Shape of one example: [channels, height, width] of images, [dim] of feature vectors. */
  abstract readonly shape: readonly number[];
  /** 0, 1, 2, ... */
  private readonly inOrder: Tensor;

  /** @param count number of examples */
  constructor(
    readonly gpu: Gpu,
    readonly count: number,
    readonly batchSize: number,
  ) {
    checkGpu('Dataset', gpu);
    checkValue('data', 'count', count, wholeFrom(1));
    checkValue('data', 'batchSize', batchSize, wholeFrom(1));
    const places = Uint32Array.from({ length: count }, (_, i) => i);
    this.inOrder = keep(tensor(gpu, places, undefined, 'order'));
  }

  /** Makes the batch that is asked for. It is recorded once in a captured step, whose `offset` then changes from run to run. */
  abstract batch(request: BatchRequest): Batch;

  /** Returns `batchSize` examples from `start` on, or those that are left. The caller disposes them. */
  batchAt(start: number): Batch {
    const { count, batchSize, inOrder: order } = this;
    return this.batch({ order, offset: start, size: Math.min(batchSize, count - start) });
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
    this.inOrder.dispose();
  }
}

interface DatasetOptions {
  labelled?: boolean;
  label?: string;
}

/** A mean and a deviation: one number, or one for each channel or feature. */
type PerChannel = number | readonly number[];

interface ImageDatasetOptions extends DatasetOptions {
  /** Subtracted from pixels in [0, 1]. Default: that of the images, else 0.5. */
  mean?: PerChannel;
  /** Divides them afterwards. Default: that of the images, else 0.5. */
  std?: PerChannel;
}

const shared = { labelled: flag, label: text };
const each = ({ wanted, holds }: Check, { holds: allHold }: Check): Check => ({
  wanted: `${wanted}, or an array of one per channel`,
  holds: (value) => holds(value) || allHold(value),
});
const imageOptions: OptionChecks<ImageDatasetOptions> = {
  labelled: flag,
  label: text,
  mean: /* @__PURE__ */ each(anyNumber, finiteNumbers),
  std: /* @__PURE__ */ each(/* @__PURE__ */ above(0), positiveNumbers),
};

/** Checks the data, and that the device can hold it, and returns the number of its examples. */
function countOf(gpu: Gpu, host: HostData, options: DatasetOptions): number {
  const { label = 'data' } = options;
  checkGpu('Dataset', gpu);
  checkData(label, host, isLabelled(host, options));
  const each = (isFeatures(host) ? host.features.byteLength : host.images.length) / host.count;
  const most = Math.min(gpu.limits.maxStorageBufferBindingSize!, gpu.limits.maxBufferSize!);
  if (host.count * each <= most) return host.count;
  throw new GpuError(
    'LIMIT',
    `${label}: ${host.count} ${nounOf(host)} take ${host.count * each} bytes, but this device binds at most ${most} at once; use ${Math.floor(most / each)} or fewer, or smaller ones`,
  );
}

const isLabelled = (host: HostData, { labelled = host?.labels !== undefined }: DatasetOptions): boolean => labelled;

/** Puts labels on the GPU, if there are any to put. */
function upload(gpu: Gpu, host: HostData, options: DatasetOptions): Tensor | null {
  if (!isLabelled(host, options)) return null;
  return keep(tensor(gpu, labelsOf(host), undefined, `${options.label ?? 'data'} labels`));
}

/**
 * Images on the GPU, one byte per pixel and channel. A batch holds (byte / 255 - mean) / std, by default in [-1, 1].
 * Default: labelled if `host` has labels.
 *
 * @throws TypeError if the arrays do not hold one byte per pixel and channel, and one label per image
 * @throws RangeError if a label is not a whole number >= 0
 * @throws GpuError `LIMIT` if they take more bytes than the device binds at once
 */
export class ImageDataset extends Dataset implements PackedImages {
  readonly shape: readonly number[];
  readonly images: Tensor;
  readonly labels: Tensor | null;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** The name of the images' geometry, if they have one. */
  readonly geometry: string | undefined;

  constructor(gpu: Gpu, host: HostImages, batchSize: number, options: ImageDatasetOptions = {}) {
    checkOptions('ImageDataset', options, imageOptions);
    const count = countOf(gpu, host, options);
    const { label = 'data', mean = host.mean ?? 0.5, std = host.std ?? 0.5 } = options;
    const shape = exampleShape(host);
    const [means, deviations] = [perChannel('mean', mean, shape[0]!), perChannel('std', std, shape[0]!)];
    super(gpu, count, batchSize);
    this.shape = shape;
    this.mean = means;
    this.std = deviations;
    this.geometry = host.geometry?.name;
    const images = tensor(gpu, packBytes(host.images), undefined, `${label} images`);
    this.images = keep(host.geometry?.apply(images, host) ?? images);
    if (this.images !== images) images.dispose();
    this.labels = upload(gpu, host, options);
  }

  batch(request: BatchRequest): Batch {
    return imageBatch(this, request);
  }

  override dispose(): void {
    super.dispose();
    this.images.dispose();
    this.labels?.dispose();
  }
}

function perChannel(name: string, given: PerChannel, channels: number): number[] {
  const list = typeof given === 'number' ? new Array<number>(channels).fill(given) : [...given];
  if (list.length === channels) return list;
  throw new RangeError(`ImageDataset: ${name} has ${list.length} numbers, but the images have ${channels} channels`);
}

/**
 * Feature vectors on the GPU, such as embeddings of another model. A batch holds them as they are. Default: labelled if `host` has
 * labels.
 *
 * @throws TypeError if the arrays do not hold `dim` numbers and one label per vector
 * @throws RangeError if a label is not a whole number >= 0
 * @throws GpuError `LIMIT` if they take more bytes than the device binds at once
 */
export class FeatureDataset extends Dataset implements FeatureRows {
  readonly shape: readonly number[];
  readonly features: Tensor;
  readonly labels: Tensor | null;

  constructor(gpu: Gpu, host: HostFeatures, batchSize: number, options: DatasetOptions = {}) {
    checkOptions<DatasetOptions>('FeatureDataset', options, shared);
    super(gpu, countOf(gpu, host, options), batchSize);
    this.shape = exampleShape(host);
    this.features = keep(tensor(gpu, host.features, [host.count, host.dim], `${options.label ?? 'data'} features`));
    this.labels = upload(gpu, host, options);
  }

  batch(request: BatchRequest): Batch {
    return featureBatch(this, request);
  }

  override dispose(): void {
    super.dispose();
    this.features.dispose();
    this.labels?.dispose();
  }
}

/** @internal Puts host data on the GPU; a data set that is there already is returned as it is. */
export function datasetOf(gpu: Gpu, data: HostData | Dataset, batchSize: number, options: DatasetOptions): Dataset {
  if (data instanceof Dataset) return data;
  return isFeatures(data)
    ? new FeatureDataset(gpu, data, batchSize, options)
    : new ImageDataset(gpu, data, batchSize, options);
}

/** Packs bytes into little-endian words, padded with zeros. */
function packBytes(bytes: Uint8Array | Uint8ClampedArray): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  for (let i = 0; i < bytes.length; i++) words[i >> 2]! |= bytes[i]! << (8 * (i & 3));
  return words;
}
