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

/** The defaults with the given options over them. @throws RangeError that names the option, what came and what is allowed */
export function completeOptions(given: Partial<TrainingOptions>): TrainingOptions {
  const options = { ...defaultOptions, ...given };
  const { method, float32MatmulPrecision: precision } = options;
  const unknown = Object.keys(options).find((name) => !(name in defaultOptions));
  if (unknown) throw new RangeError(`${unknown} is not an option; there are ${Object.keys(defaultOptions).join(', ')}`);
  if (!METHODS.includes(method))
    throw new RangeError(`method must be one of ${METHODS.join(', ')} but is ${String(method)}`);
  if (!PRECISIONS.includes(precision))
    throw new RangeError(`float32MatmulPrecision must be one of ${PRECISIONS.join(', ')} but is ${String(precision)}`);
  atLeast(options, 'iterations', 0, true);
  atLeast(options, 'batchSize', 2, true);
  atLeast(options, 'classWeightUpdateSteps', 1, true);
  atLeast(options, 'seed', 0, true);
  for (const name of ['lr', 'lrGamma', 'lrDecay', 'momentum', 'weightDecay', 'tradeOff'] as const)
    atLeast(options, name, 0);
  for (const name of ['temperature', 'reversalIterations'] as const) positive(options, name);
  if (!Number.isFinite(options.reversalAlpha))
    throw new RangeError(`reversalAlpha must be a number but is ${options.reversalAlpha}`);
  return options;
}

type NumericOption = {
  [K in keyof TrainingOptions]: TrainingOptions[K] extends number ? K : never;
}[keyof TrainingOptions];

function atLeast(options: TrainingOptions, name: NumericOption, least: number, whole = false): void {
  const value = options[name];
  if (Number.isFinite(value) && value >= least && (!whole || Number.isSafeInteger(value))) return;
  throw new RangeError(`${name} must be a ${whole ? 'whole number' : 'number'} >= ${least} but is ${value}`);
}

function positive(options: TrainingOptions, name: NumericOption): void {
  if (!(Number.isFinite(options[name]) && options[name] > 0))
    throw new RangeError(`${name} must be > 0 but is ${options[name]}`);
}
