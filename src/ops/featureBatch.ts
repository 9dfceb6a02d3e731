import source from '../../shaders/featureBatch.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { type BatchRequest, beginBatch, type Examples } from './shared/batch.ts';
import { expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('featureBatch', source, ['labelled', 'unlabelled']);

/** Feature vectors on the GPU, f32 [count, dim], with optional labels. `shape` is [dim]. */
export interface FeatureRows extends Examples {
  features: Tensor;
}

/**
 * Makes a batch of feature vectors and their labels. x: f32 [size, dim], or all of `into`; labels: u32 [size], or null if the
 * vectors have none.
 *
 * @throws TypeError if the vectors do not fit in `into`
 * @throws RangeError if `order` has fewer than `size` places from `offset` on
 */
export function featureBatch(data: FeatureRows, request: BatchRequest): { x: Tensor; labels: Tensor | null } {
  const { x, labels } = beginBatch('featureBatch', data, request);
  const { features, count, labels: allLabels } = data;
  const [dim] = data.shape as [number];
  expectShape('featureBatch', 'features', features, [count, dim]);
  const { order, offset, size, row = 0 } = request;
  const params = { offset, size, dim, row, count };
  const groups = Math.ceil(Math.max(size, size * dim) / 64);
  const bytes = 8 * size * dim + 4 * size;
  if (labels)
    kernel.labelled({ features, order, x, allLabels: allLabels!, labels }, params, groups, { bytes: bytes + 8 * size });
  else kernel.unlabelled({ features, order, x }, params, groups, { bytes });
  return { x, labels };
}
