import { relu } from '../ops/relu.ts';
import { sigmoid } from '../ops/sigmoid.ts';
import type { Tensor } from '../tensor.ts';
import { Module, refuseArguments } from './module.ts';

/** Computes max(x, 0) for each element (`torch.nn.ReLU`). x, y: f32 of any shape. */
export class ReLU extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('ReLU', none);
  }

  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** Computes 1 / (1 + exp(-x)) for each element (`torch.nn.Sigmoid`). x, y: f32 of any shape. */
export class Sigmoid extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('Sigmoid', none);
  }

  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}
