import { checkOptions, type OptionChecks } from '../checks/options.ts';
import {
  checkData,
  exampleShape,
  finiteNumbers,
  type HostData,
  type HostImages,
  isFeatures,
  positiveNumbers,
} from './host.ts';

/** A mean and a standard deviation for each feature of vectors, or for each channel of images, whose pixels are from 0 to 1. */
export interface DataStatistics {
  mean: readonly number[];
  std: readonly number[];
}

/** The statistics of ImageNet's photographs, which torchvision's weights were trained with: red, green, blue. */
export const imageNetStatistics: DataStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Returns the statistics of each feature over all vectors, or of each channel over all images. A constant has the deviation 1. */
export function dataStatistics(data: HostData): DataStatistics {
  checkData('dataStatistics', data, false);
  return isFeatures(data) ? statisticsOf(data.features, data.dim) : statisticsOfPixels(data);
}

/** @param dim the values are [count, dim] */
function statisticsOf(values: Float32Array, dim: number): DataStatistics {
  const count = values.length / dim;
  const mean = new Float64Array(dim);
  const variance = new Float64Array(dim);
  for (const [i, value] of values.entries()) mean[i % dim]! += value / count;
  for (const [i, value] of values.entries()) variance[i % dim]! += (value - mean[i % dim]!) ** 2 / count;
  return { mean: [...mean], std: Array.from(variance, deviation) };
}

const deviation = (variance: number): number => Math.sqrt(variance) || 1;

/** Counts the bytes of each channel, so that the result is exact however many images there are. */
function statisticsOfPixels(data: HostImages): DataStatistics {
  const [channels, height, width] = exampleShape(data) as [number, number, number];
  const plane = height * width;
  const counts = Array.from({ length: channels }, () => new Float64Array(256));
  for (let p = 0; p < data.count * channels; p++) {
    const own = counts[p % channels]!;
    for (let i = p * plane; i < (p + 1) * plane; i++) own[data.images[i]!]!++;
  }
  const over = (own: Float64Array, of: (pixel: number) => number): number =>
    own.reduce((sum, n, byte) => sum + n * of(byte / 255), 0) / (data.count * plane);
  const mean = counts.map((own) => over(own, (pixel) => pixel));
  return { mean, std: counts.map((own, c) => deviation(over(own, (pixel) => (pixel - mean[c]!) ** 2))) };
}

const checks: OptionChecks<DataStatistics> = { mean: finiteNumbers, std: positiveNumbers };

/**
 * Returns the same examples with (value - mean) / std instead of each feature, or each pixel from 0 to 1. Images keep their bytes: their
 * batches are computed so. Use the source's statistics for source, target and everything that the model predicts later.
 *
 * @throws TypeError if the statistics are of vectors of another length, or of another number of channels
 */
export function standardize<Data extends HostData>(data: Data, statistics: DataStatistics): Data {
  checkData('standardize', data, false);
  checkOptions('standardize', statistics, checks, ['mean', 'std']);
  const { mean, std } = statistics;
  const [each] = exampleShape(data);
  if (mean.length !== each || std.length !== each)
    throw new TypeError(
      `standardize: mean and std have ${mean.length} and ${std.length} numbers, but there are ${each} ${isFeatures(data) ? 'features' : 'channels'}`,
    );
  if (!isFeatures(data)) return { ...data, mean, std };
  return { ...data, features: data.features.map((value, i) => (value - mean[i % each]!) / std[i % each]!) };
}
