import { checkOptions, type OptionChecks } from '../checks/options.ts';
import { checkData, type HostFeatures } from './host.ts';

/** The mean and the standard deviation of each feature. */
export interface FeatureStatistics {
  mean: Float32Array;
  std: Float32Array;
}

/** Returns the statistics of each feature over all vectors. A feature that never changes has the deviation 1. */
export function featureStatistics(data: HostFeatures): FeatureStatistics {
  checkData('featureStatistics', data, false);
  const { features, count, dim } = data;
  const mean = new Float64Array(dim);
  const variance = new Float64Array(dim);
  for (const [i, value] of features.entries()) mean[i % dim]! += value / count;
  for (const [i, value] of features.entries()) variance[i % dim]! += (value - mean[i % dim]!) ** 2 / count;
  return { mean: Float32Array.from(mean), std: Float32Array.from(variance, (v) => Math.sqrt(v) || 1) };
}

const isOne = (dim: number) => ({
  wanted: `a Float32Array of ${dim} numbers`,
  holds: (value: unknown) => value instanceof Float32Array && value.length === dim,
});

/**
 * Returns the vectors with (feature - mean) / std instead of each feature. Use the source's statistics for source, target and
 * everything that the model predicts later.
 *
 * @throws TypeError if the statistics are of vectors of another length
 */
export function standardize(data: HostFeatures, statistics: FeatureStatistics): HostFeatures {
  checkData('standardize', data, false);
  const { features, dim } = data;
  const checks: OptionChecks<FeatureStatistics> = { mean: isOne(dim), std: isOne(dim) };
  checkOptions('standardize', statistics, checks, ['mean', 'std']);
  const { mean, std } = statistics;
  return { ...data, features: features.map((value, i) => (value - mean[i % dim]!) / std[i % dim]!) };
}
