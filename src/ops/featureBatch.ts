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
  const { order, offset, size, row = 0, next } = request;
  const then = next ?? { data, order, offset: 0, size: 0 };
  const { features: nextFeatures, count: nextCount } = then.data as FeatureRows;
  const params = { offset, size, dim, row, count, nextOffset: then.offset, nextSize: then.size, nextCount };
  const all = size + then.size;
  const groups = Math.ceil(Math.max(size, all * dim) / 64);
  const bytes = 8 * all * dim + 4 * all;
  const bindings = { features, order, x, nextFeatures, nextOrder: then.order };
  const constants = { PAIR: Number(!!next) };
  if (labels)
    kernel.labelled({ ...bindings, allLabels: allLabels!, labels }, params, groups, {
      bytes: bytes + 8 * size,
      constants,
    });
  else kernel.unlabelled(bindings, params, groups, { bytes, constants });
  return { x, labels };
}
