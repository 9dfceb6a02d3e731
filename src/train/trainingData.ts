import { anything, checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkImages, type HostImages } from '../data/dataset.ts';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { TrainingOptions } from './options.ts';

/** Labelled source images and target images to train on. Labels of the target are not looked at. */
export interface TrainingData {
  source: HostImages;
  target: HostImages;
  /** Classes of the network, 2 or more: labels of the source are less than this. */
  numClasses: number;
}

const parts: OptionChecks<TrainingData> = { source: anything, target: anything, numClasses: wholeFrom(2) };

/** Makes up as many images as a batch takes. */
export function standIn({ source, numClasses }: TrainingData, { batchSize: count }: TrainingOptions): TrainingData {
  const { height, width } = source;
  const images = Uint8Array.from({ length: count * height * width }, (_, i) => 37 * i);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % numClasses);
  const made = { images, labels, count, height, width };
  return { source: made, target: made, numClasses };
}

/** Refuses what cannot be trained on before anything is made. */
export function checkData(data: TrainingData, { batchSize }: TrainingOptions): void {
  checkOptions('training data', data, parts, ['source', 'target', 'numClasses']);
  const { source, target, numClasses } = data;
  checkImages('source', source, false);
  checkImages('target', target, false);
  const { height, width } = source;
  if (!source.labels) throw new TypeError('training: the source has no labels; they are what is learnt from');
  checkImages('source', source, true);
  const outside = source.labels.find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new RangeError(
      `training: the source has a label ${outside}, but numClasses is ${numClasses}; make it larger`,
    );
  if (height !== width) throw new TypeError(`training: images are ${height}x${width}; the network takes square ones`);
  checkSameSize(source, target, 'target');
  for (const [name, { count }] of [
    ['source', source],
    ['target', target],
  ] as const) {
    if (count >= batchSize) continue;
    throw new RangeError(
      `training: the ${name}'s ${count} images do not fill a batch of ${batchSize}; use a smaller batch size or more images`,
    );
  }
}

/** Refuses images of another size than the source's. */
export function checkSameSize({ height, width }: HostImages, images: HostImages, label: string): void {
  checkImages(label, images, false);
  if (images.height === height && images.width === width) return;
  throw new TypeError(
    `training: source images are ${height}x${width} but those of the ${label} are ${images.height}x${images.width}; resize them`,
  );
}

// The first convolution's output is the largest tensor of a step: 16 channels of f32, and a kernel of 5 takes 4 off a side.
const bytesOfLargest = (images: number, size: number): number => 4 * 16 * images * (size - 4) ** 2;

/** Refuses batches that one of the device's buffers cannot hold, before anything is made. */
export function checkBatch({ limits }: Gpu, { source }: TrainingData, { method, batchSize }: TrainingOptions): void {
  const limit = Math.min(limits.maxStorageBufferBindingSize!, limits.maxBufferSize!);
  const domains = method === 'source-only' ? 1 : 2;
  const asked = bytesOfLargest(domains * batchSize, source.height);
  if (asked <= limit) return;
  const most = Math.floor(limit / bytesOfLargest(domains, source.height));
  throw new GpuError(
    'LIMIT',
    `training: a batch size of ${batchSize} wants a buffer of ${asked} bytes, but this device binds at most ${limit}; the largest that fits is ${most}`,
  );
}
