import { atLeast, checkOptions, checkValue, type OptionChecks, wholeFrom } from '../checks/options.ts';
import type { Scalar } from '../gpu/scalar.ts';

export interface InverseDecayOptions {
  /** Learning rate at iteration 0. */
  lr: number;
  /** How fast it falls. */
  gamma: number;
  /** The power it falls by. */
  decay: number;
}

const checks: OptionChecks<InverseDecayOptions> = { lr: atLeast(0), gamma: atLeast(0), decay: atLeast(0) };

/** Sets an optimiser's learning rate to lr (1 + gamma i)^-decay at iteration i (the `LambdaLR` of TLlib's examples). */
export class InverseDecay {
  private i = 0;

  private readonly options: InverseDecayOptions;

  constructor(
    private readonly optimizer: { readonly lr: Scalar },
    options: InverseDecayOptions,
  ) {
    checkOptions('InverseDecay', options, checks, ['lr', 'gamma', 'decay']);
    this.options = { ...options };
    this.iteration = 0;
  }

  /** Iterations done; setting it sets the learning rate. */
  get iteration(): number {
    return this.i;
  }

  set iteration(i: number) {
    checkValue('InverseDecay', 'iteration', i, wholeFrom(0));
    const { lr, gamma, decay } = this.options;
    this.i = i;
    this.optimizer.lr.value = lr * (1 + gamma * i) ** -decay;
  }

  /** Counts an iteration; called after the optimiser's step. */
  step(): void {
    this.iteration++;
  }
}
