import shared from '../../shaders/optimizer.wgsl';
import source from '../../shaders/sgd.wgsl';
import { atLeast, checkOptions, flag, type OptionChecks, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { Optimizer, type ParametersOrGroups } from './optimizer.ts';

const kernel = /* @__PURE__ */ defineKernel('sgd', [shared, source], ['plain', 'momentum']);

export interface SgdOptions {
  /** Learning rate, >= 0. */
  lr: number;
  /** Momentum factor, from 0 to 1. Default: 0. */
  momentum?: number;
  /** Dampening for momentum, from 0 to 1. Default: 0. */
  dampening?: number;
  /** Weight decay, >= 0: adds weightDecay * parameter to each gradient. Default: 0. */
  weightDecay?: number;
  /** Enables Nesterov momentum. Needs momentum > 0 and no dampening. Default: false. */
  nesterov?: boolean;
}

const checks: OptionChecks<SgdOptions> = {
  lr: atLeast(0),
  momentum: within(0, 1),
  dampening: within(0, 1),
  weightDecay: atLeast(0),
  nesterov: flag,
};

/** Stochastic gradient descent with momentum and weight decay (`torch.optim.SGD`). */
export class Sgd extends Optimizer {
  declare readonly momentum: number;
  declare readonly dampening: number;
  declare readonly nesterov: boolean;
  private readonly buffer: Tensor | null;

  constructor(parameters: ParametersOrGroups, options: SgdOptions) {
    checkOptions('Sgd', options, checks, ['lr']);
    const { lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
    if (nesterov && !(momentum > 0 && dampening === 0)) {
      throw new RangeError(
        `Sgd: nesterov needs momentum > 0 and dampening 0, but they are ${momentum} and ${dampening}`,
      );
    }
    super('Sgd', parameters, { lr, weightDecay });
    this.fix({ momentum, dampening, nesterov });
    this.buffer = momentum > 0 ? this.state('momentum_buffer') : null;
    if (new.target === Sgd) Object.preventExtensions(this);
  }

  protected update(): void {
    const { bindings, params, workgroups } = this.launch();
    const { momentum, dampening, buffer } = this;
    const all = { ...params, momentum, dampening, nesterov: Number(this.nesterov) };
    if (buffer) kernel.momentum({ ...bindings, buffer }, all, workgroups);
    else kernel.plain(bindings, all, workgroups);
  }
}
