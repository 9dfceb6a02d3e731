import { flatten } from '../ops/flatten.ts';
import type { Tensor } from '../tensor.ts';
import { Module, refuseArguments } from './module.ts';

/**
 * Joins all dimensions but the first (`torch.nn.Flatten`). x: [n, c, h, w] or any other shape of two or more dimensions; y: [n, c h w].
 */
export class Flatten extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('Flatten', none);
  }

  forward(x: Tensor): Tensor {
    return flatten(x);
  }
}
