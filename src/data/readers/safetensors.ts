import { decodeSafetensors } from '../../io/safetensors.ts';
import { sizeOf } from '../../shape.ts';
import { DataError } from '../errors.ts';
import type { HostFeatures } from '../host.ts';
import type { NamedBytes } from './idx.ts';
import { labelsIn } from './npy.ts';

/**
 * Reads feature vectors from a safetensors file: the tensor `features` [n, d], and `labels` [n] if there is one.
 *
 * @throws DataError if the file does not match the format, or has other tensors
 */
export function readFeatures({ file, bytes }: NamedBytes): HostFeatures {
  const { tensors } = decodeSafetensors(bytes, file);
  const [features, labels] = [tensors.get('features'), tensors.get('labels')];
  const refuse = (expected: string, found: string): never => {
    throw new DataError({ file, offset: 0, expected, found });
  };
  if (features?.shape.length !== 2 || sizeOf(features.shape) === 0 || features.data instanceof BigInt64Array)
    return refuse(
      'a tensor features [n, d] of floats',
      features ? `features [${features.shape.join(',')}]` : [...tensors.keys()].slice(0, 5).join(', ') || 'no tensor',
    );
  const [count, dim] = features.shape as [number, number];
  const values = Float32Array.from(features.data as Float32Array);
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) refuse('finite features', `${values[bad]} in row ${Math.floor(bad / dim)}`);
  return {
    ...{ features: values, count, dim },
    ...(labels && { labels: labelsIn({ shape: [...labels.shape], data: labels.data }, count, file) }),
  };
}
