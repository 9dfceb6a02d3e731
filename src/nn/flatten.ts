import { flatten } from '../ops/flatten.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

/** All dimensions but the first as one (`torch.nn.Flatten`): images [n, c, h, w] to rows [n, c h w]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return flatten(x);
  }
}
