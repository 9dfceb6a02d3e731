import {
  above,
  atLeast,
  checkOptions,
  flag,
  inF32,
  type OptionChecks,
  oneOf,
  wholeFrom,
  within,
} from '../checkOptions.ts';
import type { Float32MatmulPrecision } from '../precision/index.ts';

/** How a classifier is trained: on source images alone, with plain adversarial adaptation, or with PADA. */
export type Method = 'source-only' | 'dann' | 'pada';

/** All that decides a training run; names and defaults of TLlib's PADA example where it has them. */
export interface TrainingOptions {
  method: Method;
  /** Iterations of the whole run; the reversal coefficient and the learning rate do not depend on it. */
  iterations: number;
  /** Images a batch, of each domain. */
  batchSize: number;
  /** Learning rate at iteration i: lr (1 + lrGamma i)^-lrDecay. */
  lr: number;
  lrGamma: number;
  lrDecay: number;
  /** Nesterov momentum. */
  momentum: number;
  weightDecay: number;
  /** Weight of the domain adversarial loss. */
  tradeOff: number;
  /** Temperature of the softmax that class weights are averaged from. */
  temperature: number;
  /** Iterations between two updates of the class weights. */
  classWeightUpdateSteps: number;
  /** Reversal coefficient at iteration i: 2 / (1 + exp(-reversalAlpha i / reversalIterations)) - 1. */
  reversalAlpha: number;
  reversalIterations: number;
  /** Decides initial weights and the order of the data. */
  seed: number;
  /** Runs every op anew in place of captured steps: slower, same bits; to read and to debug. */
  eager: boolean;
  /** Of matrix products and convolutions on this Gpu, see `setFloat32MatmulPrecision` of `padagrad/precision`. */
  float32MatmulPrecision: Float32MatmulPrecision;
}

export const defaultOptions: Readonly<TrainingOptions> = {
  method: 'pada',
  iterations: 1500,
  batchSize: 64,
  lr: 0.01,
  lrGamma: 0.001,
  lrDecay: 0.75,
  momentum: 0.9,
  weightDecay: 0.001,
  tradeOff: 1,
  temperature: 0.1,
  classWeightUpdateSteps: 100,
  reversalAlpha: 1,
  reversalIterations: 1000,
  seed: 0,
  eager: false,
  float32MatmulPrecision: 'highest',
};

const METHODS: readonly Method[] = ['source-only', 'dann', 'pada'];
export const PRECISIONS: readonly Float32MatmulPrecision[] = ['highest', 'medium'];

const single = inF32(atLeast(0));
const checks: OptionChecks<TrainingOptions> = {
  method: oneOf(...METHODS),
  iterations: wholeFrom(0),
  batchSize: wholeFrom(2),
  lr: single,
  lrGamma: atLeast(0),
  lrDecay: atLeast(0),
  momentum: within(0, 1),
  weightDecay: single,
  tradeOff: single,
  temperature: inF32(above(0)),
  classWeightUpdateSteps: wholeFrom(1),
  reversalAlpha: { wanted: 'a number', holds: Number.isFinite },
  reversalIterations: above(0),
  seed: wholeFrom(0),
  eager: flag,
  float32MatmulPrecision: oneOf(...PRECISIONS),
};

/**
 * Returns the given options with those of `base`, by default the defaults, for those that are absent or undefined.
 *
 * @throws TypeError for an unknown name, with the nearest known one, or a value of the wrong type
 * @throws RangeError for a value out of range
 */
export function completeOptions(
  given: Partial<TrainingOptions>,
  base: Readonly<TrainingOptions> = defaultOptions,
): TrainingOptions {
  checkOptions<TrainingOptions>('training', given, checks);
  const chosen = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(chosen) };
}
