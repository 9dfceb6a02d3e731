import { flatten } from '../ops/flatten.ts';
import type { Tensor } from '../tensor.ts';
import { Module, refuseArguments } from './module.ts';

/** Joins all dimensions but the first (`torch.nn.Flatten`): images [n, c, h, w] to rows [n, c h w]. */
export class Flatten extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('Flatten', none);
  }

  forward(x: Tensor): Tensor {
    return flatten(x);
  }
}
