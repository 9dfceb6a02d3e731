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
} from '../checks/options.ts';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';

/** How to train a classifier: only on source images, with plain adversarial adaptation (DANN), or with PADA. */
export type Method = 'source-only' | 'dann' | 'pada';

/** The options of a training run. Names and defaults are those of TLlib's PADA example if it has them. */
export interface TrainingOptions {
  method: Method;
  /** Iterations of the whole run; the reversal coefficient and the learning rate do not depend on it. */
  iterations: number;
  /** Images per batch, of each domain. */
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
  /** Temperature of the softmax whose mean gives the class weights. */
  temperature: number;
  /** Iterations between two updates of the class weights. */
  classWeightUpdateSteps: number;
  /** Reversal coefficient at iteration i: 2 / (1 + exp(-reversalAlpha i / reversalIterations)) - 1. */
  reversalAlpha: number;
  reversalIterations: number;
  /** Decides initial weights and the order of the data. */
  seed: number;
  /** Runs every op eagerly instead of captured steps: slower, same bits, easier to debug. */
  eager: boolean;
  /** Precision of matmuls and convolutions on this Gpu, see `setFloat32MatmulPrecision` of `padagrad/precision`. */
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
