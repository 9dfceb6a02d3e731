// Learning-rate schedules. Each is a function of the number of iterations that are done, so a resumed run sets `iteration` and needs no
// other state. They write the optimiser's `lr`, a Scalar, which a captured step reads at every run.
import { above, atLeast, checkOptions, checkValue, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { Scalar } from '../gpu/scalar.ts';

const anOptimizer = {
  wanted: 'an optimiser, such as new Sgd(...)',
  holds: (value: unknown) => (value as { lr?: unknown } | null | undefined)?.lr instanceof Scalar,
};

/** Sets an optimiser's learning rate as a function of the iteration. */
abstract class Schedule {
  private i = 0;

  /** Sets the learning rate of iteration 0. */
  constructor(
    private readonly name: string,
    private readonly optimizer: { readonly lr: Scalar },
    private readonly lrAt: (iteration: number) => number,
  ) {
    checkValue(name, 'optimizer', optimizer, anOptimizer);
    this.iteration = 0;
  }

  /** The number of iterations that are done. Setting it sets the learning rate. */
  get iteration(): number {
    return this.i;
  }

  set iteration(i: number) {
    checkValue(this.name, 'iteration', i, wholeFrom(0));
    this.i = i;
    this.optimizer.lr.value = this.lrAt(i);
  }

  /** Counts an iteration. Call it after the optimiser's `step()`. */
  step(): void {
    this.iteration++;
  }
}

export interface InverseDecayOptions {
  /** Learning rate at iteration 0, >= 0. */
  lr: number;
  /** Decay per iteration, >= 0. */
  gamma: number;
  /** Exponent of the decay, >= 0. */
  decay: number;
}

const inverse: OptionChecks<InverseDecayOptions> = {
  lr: /* @__PURE__ */ atLeast(0),
  gamma: /* @__PURE__ */ atLeast(0),
  decay: /* @__PURE__ */ atLeast(0),
};

/** Sets an optimiser's learning rate to lr (1 + gamma i)^-decay at iteration i (the `LambdaLR` in TLlib's examples). */
export class InverseDecay extends Schedule {
  constructor(optimizer: { readonly lr: Scalar }, options: InverseDecayOptions) {
    checkOptions('InverseDecay', options, inverse, ['lr', 'gamma', 'decay']);
    const { lr, gamma, decay } = options;
    super('InverseDecay', optimizer, (i) => lr * (1 + gamma * i) ** -decay);
  }
}

export interface CosineAnnealingLROptions {
  /** Learning rate at iteration 0, >= 0. */
  lr: number;
  /** Iterations until the learning rate is `etaMin`, at least 1. After them it rises again, as in PyTorch. */
  tMax: number;
  /** Smallest learning rate, >= 0. Default: 0. */
  etaMin?: number;
}

const cosine: OptionChecks<CosineAnnealingLROptions> = {
  lr: /* @__PURE__ */ atLeast(0),
  tMax: /* @__PURE__ */ wholeFrom(1),
  etaMin: /* @__PURE__ */ atLeast(0),
};

/**
 * Sets an optimiser's learning rate to etaMin + (lr - etaMin) (1 + cos(pi i / tMax)) / 2 at iteration i
 * (`torch.optim.lr_scheduler.CosineAnnealingLR`; Loshchilov & Hutter 2017).
 */
export class CosineAnnealingLR extends Schedule {
  constructor(optimizer: { readonly lr: Scalar }, options: CosineAnnealingLROptions) {
    checkOptions('CosineAnnealingLR', options, cosine, ['lr', 'tMax']);
    const { lr, tMax, etaMin = 0 } = options;
    super('CosineAnnealingLR', optimizer, (i) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * i) / tMax))) / 2);
  }
}

export interface LinearLROptions {
  /** Learning rate that the factors multiply, >= 0. */
  lr: number;
  /** Factor at iteration 0, > 0. Default: 1/3. */
  startFactor?: number;
  /** Factor from iteration `totalIters` on, >= 0. Default: 1. */
  endFactor?: number;
  /** Iterations until `endFactor` is reached, at least 1. Default: 5. */
  totalIters?: number;
}

const linear: OptionChecks<LinearLROptions> = {
  lr: /* @__PURE__ */ atLeast(0),
  startFactor: /* @__PURE__ */ above(0),
  endFactor: /* @__PURE__ */ atLeast(0),
  totalIters: /* @__PURE__ */ wholeFrom(1),
};

/**
 * Moves an optimiser's learning rate evenly from startFactor lr to endFactor lr: a warm-up by default
 * (`torch.optim.lr_scheduler.LinearLR`).
 */
export class LinearLR extends Schedule {
  constructor(optimizer: { readonly lr: Scalar }, options: LinearLROptions) {
    checkOptions('LinearLR', options, linear, ['lr']);
    const { lr, startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    super(
      'LinearLR',
      optimizer,
      (i) => lr * (startFactor + ((endFactor - startFactor) * Math.min(i, totalIters)) / totalIters),
    );
  }
}

/**
 * Follows one schedule after another (`torch.optim.lr_scheduler.SequentialLR`): the next one begins, at its own iteration 0, when as many
 * iterations are done as its milestone says. Such as a warm-up with {@link LinearLR}, then {@link CosineAnnealingLR}.
 *
 * @throws RangeError unless there is one milestone less than schedules, in rising order
 */
export class SequentialLR {
  private i = 0;

  constructor(
    private readonly schedules: readonly { iteration: number }[],
    private readonly milestones: readonly number[],
  ) {
    const rising = milestones.every((m, k) => Number.isSafeInteger(m) && m > (milestones[k - 1] ?? 0));
    if (schedules.length !== milestones.length + 1 || !rising) {
      throw new RangeError(
        `SequentialLR: ${schedules.length} schedules need ${schedules.length - 1} milestones, whole numbers > 0 in rising order, but they are [${milestones}]`,
      );
    }
    this.iteration = 0;
  }

  /** The number of iterations that are done. Setting it sets the learning rate. */
  get iteration(): number {
    return this.i;
  }

  set iteration(i: number) {
    checkValue('SequentialLR', 'iteration', i, wholeFrom(0));
    this.i = i;
    const at = this.milestones.filter((milestone) => milestone <= i).length;
    this.schedules[at]!.iteration = i - (this.milestones[at - 1] ?? 0);
  }

  /** Counts an iteration. Call it after the optimiser's `step()`. */
  step(): void {
    this.iteration++;
  }
}
