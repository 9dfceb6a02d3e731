// PADA in double precision: the losses and gradients of one iteration, and training as TLlib's example does it. Source only and
// DANN are the same iteration with a trade-off of 0 and without class weights.

import { discriminator, passOf, type State, smallCnn } from './cnn.ts';
import {
  classWeight,
  crossEntropy,
  crossEntropyBackward,
  domainLoss,
  domainLossBackward,
  domainWeights,
} from './losses.ts';
import { concat, type Doubles, reshape, sigmoid, slice, type Values, zeros } from './ops.ts';
import { inverseDecay, parameterOf, type ReferenceParameter, reversalCoefficient, sgdStep } from './optim.ts';

/** One batch of each domain. */
export interface Batch {
  /** Source images: [n, c, h, w] */
  source: Values;
  /** Their labels: [n] */
  labels: Values;
  /** Target images: [n, c, h, w] */
  target: Values;
}

export interface IterationOptions {
  /** [C]; null for DANN. */
  classWeight: Values | null;
  /** The factor of the reversed gradient. */
  coefficient: number;
  tradeOff: number;
  /** Padding of each convolution. */
  paddings?: number[];
}

/** The losses of one iteration and the gradients of all parameters. The state's names begin with `model.` or `discriminator.`. */
export function padaIteration(state: State, batch: Batch, options: IterationOptions) {
  const { classWeight, coefficient, tradeOff, paddings } = options;
  const n = batch.labels.data.length;
  const pass = passOf(state);

  // Both domains go through the network as one batch, so they share batch statistics.
  const x = concat(batch.source, batch.target); // [2n, c, h, w]
  const { features, head } = smallCnn(pass, x, { prefix: 'model.', ...(paddings && { paddings }) }); // [2n, d], [2n, C]
  const sourceLogits = slice(head.y, 0, n); // [n, C]
  const classLoss = crossEntropy(sourceLogits, batch.labels, { weight: classWeight ?? undefined });

  const domain = discriminator(pass, features.y, 'discriminator.'); // [2n, 1]
  const p = sigmoid(domain.y); // [2n, 1]
  const weights = classWeight ? domainWeights(classWeight, batch.labels) : undefined; // [n] each
  const transfer = domainLoss(p, { sources: n, weights });

  // Backward. Only the source's logits have a loss.
  const dlogits = zeros(head.y.shape);
  dlogits.data.set(crossEntropyBackward(sourceLogits, batch.labels, classWeight ?? undefined).data);
  const dp = domainLossBackward(p, { sources: n, weights });
  const dz = { shape: p.shape, data: dp.data.map((g, i) => tradeOff * g * p.data[i]! * (1 - p.data[i]!)) };
  const ofHead = head.backward(dlogits);
  const ofDomain = domain.backward(dz);
  features.backward({
    shape: features.y.shape,
    data: ofHead.data.map((g, i) => g - coefficient * ofDomain.data[i]!),
  });
  return {
    classLoss: classLoss.data[0]!,
    transferLoss: transfer.loss.data[0]!,
    loss: classLoss.data[0]! + tradeOff * transfer.loss.data[0]!,
    domainAccuracy: transfer.accuracy.data[0]!,
    gradients: pass.gradients,
  };
}

export interface TrainingOptions {
  method: 'source_only' | 'dann' | 'pada';
  numClasses: number;
  tradeOff: number;
  temperature: number;
  /** Iterations between two updates of the class weights. */
  updateSteps: number;
  lr: number;
  lrGamma: number;
  lrDecay: number;
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  reversal: { alpha: number; lo: number; hi: number; maxIters: number };
  /** By what the learning rate of a parameter is multiplied. */
  lrMultiplier: (name: string) => number;
  paddings: number[];
}

/** A training run, one iteration at a time. */
export class PadaTraining {
  classWeight: Doubles;
  iteration = 0;
  private readonly parameters = new Map<string, ReferenceParameter>();

  /** @param targets the batches of target images that class weights are computed from */
  constructor(
    readonly state: State,
    private readonly targets: readonly Values[],
    private readonly options: TrainingOptions,
  ) {
    const { numClasses, lrMultiplier, weightDecay } = options;
    this.classWeight = { shape: [numClasses], data: new Float64Array(numClasses).fill(1) };
    for (const [name, { data }] of Object.entries(state))
      if (/\.(weight|bias)$/.test(name)) this.parameters.set(name, parameterOf(data, lrMultiplier(name), weightDecay));
  }

  step(batch: Batch) {
    const { method, tradeOff, reversal, paddings, updateSteps, momentum, nesterov } = this.options;
    const used = this.classWeight;
    const coefficient = reversalCoefficient(this.iteration, reversal);
    const weight = method === 'pada' ? used : null;
    const result = padaIteration(this.state, batch, { classWeight: weight, coefficient, tradeOff, paddings });
    // The class weights see the statistics of this forward pass and the parameters before its update.
    if ((this.iteration + 1) % updateSteps === 0) this.classWeight = this.currentClassWeight();
    const { lr: base, lrGamma: gamma, lrDecay: decay } = this.options;
    const lr = inverseDecay(this.iteration, { lr: base, gamma, decay });
    for (const [name, parameter] of this.parameters) {
      sgdStep(parameter, result.gradients[name]!.data, { lr, momentum, nesterov });
      this.state[name] = reshape({ shape: [], data: parameter.value }, this.state[name]!.shape);
    }
    this.iteration++;
    return { ...result, lr, classWeightUsed: used, classWeightAfter: this.classWeight };
  }

  /** The logits of the target batches in evaluation mode. */
  targetLogits(): Doubles {
    const { paddings } = this.options;
    const pass = passOf(this.state, false);
    return concat(...this.targets.map((x) => smallCnn(pass, x, { prefix: 'model.', paddings }).head.y));
  }

  private currentClassWeight(): Doubles {
    return classWeight(this.targetLogits(), { temperature: this.options.temperature });
  }
}
