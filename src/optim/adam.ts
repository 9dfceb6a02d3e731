import source from '../../shaders/adam.wgsl';
import { checkAtLeast } from '../checkNumbers.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { Optimizer, type ParametersOrGroups } from './optimizer.ts';

const kernel = /* @__PURE__ */ defineKernel('adam', source, ['step', 'amsgrad']);

export interface AdamOptions {
  /** Learning rate: 0.001 by default. */
  lr?: number;
  /** Share of the running means of the gradient and of its square that stays at each step: [0.9, 0.999] by default. */
  betas?: readonly [number, number];
  /** Keeps the denominator from zero: 1e-8 by default. */
  eps?: number;
  /** Adam adds to each decayed parameter's gradient (0 by default), AdamW shrinks the parameter itself (0.01 by default). */
  weightDecay?: number;
  /** Divides by the largest mean square so far. */
  amsgrad?: boolean;
}

/** Adam (Kingma & Ba 2015; `torch.optim.Adam`), each parameter with its own count of steps for the bias correction. */
export class Adam extends Optimizer {
  private readonly betas: readonly [number, number];
  private readonly eps: number;
  private readonly mean: Tensor;
  private readonly square: Tensor;
  private readonly largest: Tensor | null;

  constructor(parameters: ParametersOrGroups, options: AdamOptions = {}) {
    const { betas = [0.9, 0.999], eps = 1e-8, amsgrad = false } = options;
    checkAtLeast('Adam', { eps });
    if (!betas.every((beta) => beta >= 0 && beta < 1))
      throw new RangeError(`Adam: betas must be in [0, 1) but are ${betas}`);
    super('Adam', parameters, { lr: 0.001, weightDecay: 0, ...options });
    this.betas = betas;
    this.eps = eps;
    this.mean = this.state('exp_avg');
    this.square = this.state('exp_avg_sq');
    this.largest = amsgrad ? this.state('max_exp_avg_sq') : null;
  }

  step(): void {
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

  /** Whether weight decay shrinks the parameter itself. */
  protected get decoupled(): boolean {
    return false;
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019; `torch.optim.AdamW`). */
export class AdamW extends Adam {
  constructor(parameters: ParametersOrGroups, options: AdamOptions = {}) {
    super(parameters, { weightDecay: 0.01, ...options });
  }

  protected override get decoupled(): boolean {
    return true;
  }
}

// Of beta = 0 as far down as its powers matter: WGSL has no infinity.
const logarithm = (beta: number): number => Math.max(Math.log(beta), -1000);
