import { checkOptions } from '../checks/options.ts';
import { type GeluOptions, gelu, geluChecks } from '../ops/gelu.ts';
import { type LeakyReluOptions, leakyRelu, leakyReluChecks } from '../ops/leakyRelu.ts';
import { relu } from '../ops/relu.ts';
import { sigmoid } from '../ops/sigmoid.ts';
import { tanh } from '../ops/tanh.ts';
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

/** Computes the hyperbolic tangent of each element (`torch.nn.Tanh`). x, y: f32 of any shape. */
export class Tanh extends Module {
  constructor(...none: readonly []) {
    super();
    refuseArguments('Tanh', none);
  }

  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** Multiplies negative elements by `negativeSlope` (`torch.nn.LeakyReLU`). x, y: f32 of any shape. */
export class LeakyReLU extends Module {
  private readonly options: LeakyReluOptions;

  constructor(options: LeakyReluOptions = {}) {
    super();
    checkOptions('LeakyReLU', options, leakyReluChecks);
    this.options = { ...options };
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.options);
  }
}

/** Computes x times the probability that a normal variable is below x (`torch.nn.GELU`). x, y: f32 of any shape. */
export class GELU extends Module {
  private readonly options: GeluOptions;

  constructor(options: GeluOptions = {}) {
    super();
    checkOptions('GELU', options, geluChecks);
    this.options = { ...options };
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.options);
  }
}
