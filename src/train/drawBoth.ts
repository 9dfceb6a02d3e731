// A training step draws a batch per domain. Data sets of one kind have a dispatch that makes both batches.
import { type Batch, type Dataset, FeatureDataset, ImageDataset } from '../data/dataset.ts';
import type { Sampler } from '../data/sampler.ts';
import type { Tensor } from '../tensor.ts';

/** Writes the batch of a sampler to the first rows of `into`, and that of the next one to the rows after them. Returns the first batch. */
export function drawBoth(first: Sampler, next: Sampler, into: Tensor): Batch {
  const { data } = next;
  if (areAlike(first.data, data))
    return first.data.batch({ ...placeOf(first), into, next: { ...placeOf(next), data } });
  const batch = first.batch(into);
  next.batch(into, first.batchSize).labels?.dispose();
  return batch;
}

const placeOf = ({ order, offset, batchSize: size }: Sampler) => ({ order, offset, size });

function areAlike(a: Dataset, b: Dataset): boolean {
  // A subclass, or a data set of another kind, has a batch of its own.
  const batches = [ImageDataset.prototype.batch, FeatureDataset.prototype.batch];
  // The dispatch normalises both by one mean and one deviation.
  const key = ({ shape, mean, std }: Partial<ImageDataset>): string => [shape, mean, std].join(';');
  return batches.includes(a.batch) && a.batch === b.batch && key(a) === key(b);
}
