import { relu } from '../ops/relu.ts';
import { sigmoid } from '../ops/sigmoid.ts';
import type { Tensor } from '../tensor.ts';
import { Module, refuseArguments } from './module.ts';

/** max(x, 0) (`torch.nn.ReLU`). */
export class ReLU extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('ReLU', none);
  }

  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** 1 / (1 + exp(-x)) (`torch.nn.Sigmoid`). */
export class Sigmoid extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('Sigmoid', none);
  }

  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}
