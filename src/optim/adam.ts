import source from '../../shaders/adam.wgsl';
import shared from '../../shaders/optimizer.wgsl';
import { atLeast, type Check, checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { Optimizer, type ParametersOrGroups } from './optimizer.ts';

const kernel = /* @__PURE__ */ defineKernel('adam', [shared, source], ['step', 'amsgrad']);

export interface AdamOptions {
  /** Learning rate, >= 0. Default: 0.001. */
  lr?: number;
  /** Decay rates of the running averages of the gradient and of its square, in [0, 1). Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator, >= 0. Default: 1e-8. */
  eps?: number;
  /** Weight decay, >= 0. Adam adds it to the gradient (default 0); AdamW shrinks the parameter itself (default 0.01). */
  weightDecay?: number;
  /** Divides by the largest average square so far (AMSGrad). Default: false. */
  amsgrad?: boolean;
}

const twoRates: Check = {
  wanted: 'two numbers in [0, 1)',
  holds: (value) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((beta) => typeof beta === 'number' && beta >= 0 && beta < 1),
};
const checks: OptionChecks<AdamOptions> = {
  lr: atLeast(0),
  betas: twoRates,
  eps: atLeast(0),
  weightDecay: atLeast(0),
  amsgrad: flag,
};

/** Adam (Kingma & Ba 2015; `torch.optim.Adam`). Each parameter counts its own steps for the bias correction, as in PyTorch. */
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
    const { bindings, params, workgroups } = this.launch();
    const { eps, mean, square, largest } = this;
    const [beta1, beta2] = this.betas;
    const all = {
      ...params,
      beta1,
      beta2,
      // In double precision: in f32, 1 - 0.999 has a relative error of 3e-5.
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      logBeta1: logarithm(beta1),
      logBeta2: logarithm(beta2),
      eps,
      decoupled: Number(this.decoupled),
    };
    if (largest) kernel.amsgrad({ ...bindings, mean, square, largest }, all, workgroups);
    else kernel.step({ ...bindings, mean, square }, all, workgroups);
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019; `torch.optim.AdamW`). */
export class AdamW extends Adam {}

// WGSL has no infinity, so the logarithm of beta = 0 is -1000: beta^t is 0 either way.
const logarithm = (beta: number): number => Math.max(Math.log(beta), -1000);
