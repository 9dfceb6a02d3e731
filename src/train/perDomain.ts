// Batch norm with statistics of its own for each domain. The domains pass through the network one after the other, instead of as one
// batch. Only the target's pass moves the running statistics, so evaluation and class weights use those of the target.

import type { Model, Prediction } from '../models/model.ts';
import { withoutTracking } from '../nn/batchNorm.ts';
import { Module } from '../nn/module.ts';
import { concat } from '../ops/concat.ts';
import { slice } from '../ops/slice.ts';
import type { Tensor } from '../tensor.ts';

/**
 * A model whose training batches are `n` source examples, `n` target examples and any further source examples, in this order. Throws
 * `TypeError` for a model without batch norm, which would only train more slowly.
 */
export class PerDomain extends Module<Prediction> {
  constructor(
    readonly model: Model,
    private readonly n: number,
  ) {
    super();
    if (![...model.namedBuffers()].some(([name]) => name.endsWith('running_mean')))
      throw new TypeError('training: batchNorm is separate, but the model has no batch norm; leave it out');
  }

  forward(x: Tensor): Prediction {
    const { model, n } = this;
    const rows = x.shape[0]!;
    // Evaluation, and passes of a single domain.
    if (!this.training || rows <= n) return model.forward(x);
    const part = (first: number, end: number) => model.forward(slice(x, first, end));
    const parts = [withoutTracking(() => part(0, n)), part(n, 2 * n)];
    if (rows > 2 * n) parts.push(withoutTracking(() => part(2 * n, rows)));
    return {
      logits: concat(parts.map(({ logits }) => logits)), //       [rows, numClasses]
      features: concat(parts.map(({ features }) => features)), // [rows, F]
    };
  }
}
