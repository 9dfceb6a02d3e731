import source from '../../shaders/sgd.wgsl';
import { atLeast, checkOptions, flag, type OptionChecks, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { Optimizer, type ParametersOrGroups } from './optimizer.ts';

const kernel = /* @__PURE__ */ defineKernel('sgd', source, ['plain', 'momentum']);

export interface SgdOptions {
  /** Learning rate. */
  lr: number;
  /** Share of the last update in the next one, in [0, 1]. Default: 0. */
  momentum?: number;
  /** Share of the gradient that the momentum leaves out, in [0, 1]. Default: 0. */
  dampening?: number;
  /** Adds to each decayed parameter's gradient: 0 by default. */
  weightDecay?: number;
  /** Looks one momentum step ahead (Nesterov). Needs momentum, and no dampening. */
  nesterov?: boolean;
}

const checks: OptionChecks<SgdOptions> = {
  lr: atLeast(0),
  momentum: within(0, 1),
  dampening: within(0, 1),
  weightDecay: atLeast(0),
  nesterov: flag,
};

/** Stochastic gradient descent (`torch.optim.SGD`). */
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
    const { blocks, values: parameter, gradients: gradient } = this.flat;
    const { lr, momentum, dampening, run, counts, groupTable: groups, buffer } = this;
    const groupOfBlock = this.flat.groupOfBlock();
    const workgroups = Math.ceil(blocks / 4);
    if (buffer) {
      const nesterov = Number(this.nesterov);
      kernel.momentum(
        { groupOfBlock, groups, counts, gradient, parameter, buffer },
        { blocks, lr, momentum, dampening, nesterov, run },
        workgroups,
      );
    } else {
      kernel.plain(
        { groupOfBlock, groups, counts, gradient, parameter },
        { blocks, lr, momentum, dampening, nesterov: 0, run },
        workgroups,
      );
    }
  }
}
