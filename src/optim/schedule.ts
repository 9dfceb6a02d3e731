import { atLeast, checkOptions, checkValue, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { Scalar } from '../gpu/scalar.ts';

export interface InverseDecayOptions {
  /** Learning rate at iteration 0, >= 0. */
  lr: number;
  /** Decay per iteration, >= 0. */
  gamma: number;
  /** Exponent of the decay, >= 0. */
  decay: number;
}

const checks: OptionChecks<InverseDecayOptions> = { lr: atLeast(0), gamma: atLeast(0), decay: atLeast(0) };
const anOptimizer = {
  wanted: 'an optimiser, such as new Sgd(...)',
  holds: (value: unknown) => (value as { lr?: unknown } | null | undefined)?.lr instanceof Scalar,
};

/** Sets an optimiser's learning rate to lr (1 + gamma i)^-decay at iteration i (the `LambdaLR` in TLlib's examples). */
export class InverseDecay {
  private i = 0;
  private readonly options: InverseDecayOptions;

  /** Sets the learning rate of iteration 0. */
  constructor(
    private readonly optimizer: { readonly lr: Scalar },
    options: InverseDecayOptions,
  ) {
    checkValue('InverseDecay', 'optimizer', optimizer, anOptimizer);
    checkOptions('InverseDecay', options, checks, ['lr', 'gamma', 'decay']);
    this.options = { ...options };
    this.iteration = 0;
  }

  /** The number of iterations that are done. Setting it sets the learning rate. */
  get iteration(): number {
    return this.i;
  }

  set iteration(i: number) {
    checkValue('InverseDecay', 'iteration', i, wholeFrom(0));
    const { lr, gamma, decay } = this.options;
    this.i = i;
    this.optimizer.lr.value = lr * (1 + gamma * i) ** -decay;
  }

  /** Counts an iteration. Call it after the optimiser's `step()`. */
  step(): void {
    this.iteration++;
  }
}
