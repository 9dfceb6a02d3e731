import source from '../../shaders/adam.wgsl';
import { atLeast, type Check, checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { Optimizer, type ParametersOrGroups } from './optimizer.ts';

const kernel = /* @__PURE__ */ defineKernel('adam', source, ['step', 'amsgrad']);

export interface AdamOptions {
  /** Learning rate: 0.001 by default. */
  lr?: number;
  /** Decay rates of the running means of the gradient and of its square. Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps?: number;
  /** Adam adds to each decayed parameter's gradient (0 by default), AdamW shrinks the parameter itself (0.01 by default). */
  weightDecay?: number;
  /** Divides by the largest mean square so far. */
  amsgrad?: boolean;
}

const twoShares: Check = {
  wanted: 'two numbers in [0, 1)',
  holds: (value) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((beta) => typeof beta === 'number' && beta >= 0 && beta < 1),
};
const checks: OptionChecks<AdamOptions> = {
  lr: atLeast(0),
  betas: twoShares,
  eps: atLeast(0),
  weightDecay: atLeast(0),
  amsgrad: flag,
};

/** Adam (Kingma & Ba 2015; `torch.optim.Adam`), each parameter with its own count of steps for the bias correction. */
export class Adam extends Optimizer {
  declare readonly betas: readonly [number, number];
  declare readonly eps: number;
  declare readonly amsgrad: boolean;
  /** Whether weight decay shrinks the parameter itself. */
  private readonly decoupled: boolean;
  private readonly mean: Tensor;
  private readonly square: Tensor;
  private readonly largest: Tensor | null;

  constructor(parameters: ParametersOrGroups, options: AdamOptions = {}) {
    const decoupled = new.target === AdamW || new.target.prototype instanceof AdamW;
    const name = decoupled ? 'AdamW' : 'Adam';
    checkOptions(name, options, checks);
    const { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false } = options;
    const { weightDecay = decoupled ? 0.01 : 0 } = options;
    super(name, parameters, { lr, weightDecay });
    this.decoupled = decoupled;
    this.fix({ betas: Object.freeze([...betas]), eps, amsgrad });
    this.mean = this.state('exp_avg');
    this.square = this.state('exp_avg_sq');
    this.largest = amsgrad ? this.state('max_exp_avg_sq') : null;
    if (new.target === Adam || new.target === AdamW) Object.preventExtensions(this);
  }

  protected update(): void {
    const { blocks, values: parameter, gradients: gradient } = this.flat;
    const { lr, run, eps, counts, groupTable: groups, mean, square, largest } = this;
    const [beta1, beta2] = this.betas;
    const bindings = { groupOfBlock: this.flat.groupOfBlock(), groups, counts, gradient, parameter, mean, square };
    const params = {
      blocks,
      run,
      lr,
      beta1,
      beta2,
      // In double precision: 1 - 0.999 in f32 is off by 3e-5 of itself.
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      logBeta1: logarithm(beta1),
      logBeta2: logarithm(beta2),
      eps,
      decoupled: Number(this.decoupled),
    };
    const workgroups = Math.ceil(blocks / 4);
    if (largest) kernel.amsgrad({ ...bindings, largest }, params, workgroups);
    else kernel.step(bindings, params, workgroups);
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019; `torch.optim.AdamW`). */
export class AdamW extends Adam {}

// Bounded for beta = 0, because WGSL has no infinity. Smaller powers do not matter.
const logarithm = (beta: number): number => Math.max(Math.log(beta), -1000);
