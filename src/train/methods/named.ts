// For programs that choose a method by its name while they run, such as the command line and the page. They keep all options
// of a run in one flat object, which is JSON. A program that knows its method imports it instead, and bundles only that one.
import { checkOptions, oneOf, withDefaults } from '../../checks/options.ts';
import { GEOMETRY_NAMES, type GeometryName } from '../../data/geometry.ts';
import { type Jitter, jitterText, parseJitter } from '../../data/jitter.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { completeOptions, defaultOptions, type TrainingOptions } from '../options.ts';
import { type AdditionOptions, additionDefaults, withTargetLosses } from './additions.ts';
import { type AfnOptions, afn, afnDefaults } from './afn.ts';
import { type Ba3usOptions, ba3us, ba3usDefaults } from './ba3us.ts';
import { dann, dannDefaults } from './dann.ts';
import { type IwanOptions, iwan, iwanDefaults } from './iwan.ts';
import { mcc, mccDefaults } from './mcc.ts';
import type { Method } from './method.ts';
import { type PadaOptions, pada, padaDefaults } from './pada.ts';
import { type SelfTrainingOptions, selfTraining, selfTrainingDefaults } from './selfTraining.ts';
import { sourceOnly } from './sourceOnly.ts';

/** The names of the methods in flags and JSON. A list of its own, so that a page that shows them bundles no method. */
export const METHOD_NAMES = ['source-only', 'dann', 'pada', 'iwan', 'afn', 'mcc', 'ba3us', 'self-training'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

/** All options of a run with one of the named methods. A method ignores the options of others. */
export type RunOptions = TrainingOptions &
  Required<MethodOptions & AdditionOptions> &
  Jitters & {
    method: MethodName;
    /** How grey images are moved and scaled when they are put on the GPU. */
    geometry: GeometryName;
  };
type MethodOptions = PadaOptions & IwanOptions & AfnOptions & Ba3usOptions & SelfTrainingOptions;

/** How the images of each side change at random: `none` or a preset, with amounts as in `colour,rotation=30`. */
type Jitters = { sourceJitter: string; targetJitter: string };

const METHODS: Readonly<Record<MethodName, (options: Required<MethodOptions>) => Method>> = {
  'source-only': () => sourceOnly(),
  dann,
  pada,
  iwan,
  afn,
  mcc,
  ba3us,
  'self-training': selfTraining,
};

// Apart from the methods, so that a page that shows defaults bundles no method: each method's own options, and the options of a run
// that differ from the defaults of other methods.
const DEFAULTS: Readonly<Record<MethodName, { own: Partial<MethodOptions>; run?: Partial<RunOptions> }>> = {
  'source-only': { own: {} },
  dann: { own: dannDefaults },
  pada: { own: padaDefaults },
  iwan: { own: iwanDefaults },
  afn: { own: afnDefaults },
  mcc: { own: mccDefaults },
  ba3us: { own: ba3usDefaults },
  'self-training': {
    own: selfTrainingDefaults,
    run: { iterations: 700, sourceJitter: 'strong', targetJitter: 'strong', geometry: 'canonical' },
  },
};

const still = { sourceJitter: 'none', targetJitter: 'none' };

/** The defaults of a run with one of the methods, on examples of a shape. Default: grey images. */
export const runDefaultsOf = (method: MethodName, shape: readonly number[] = [1, 1, 1]): Readonly<RunOptions> => ({
  ...still,
  geometry: 'none',
  ...defaultOptions,
  ...additionDefaults,
  ...{ ...selfTrainingDefaults, ...ba3usDefaults, ...afnDefaults, ...iwanDefaults, ...padaDefaults },
  ...DEFAULTS[method].own,
  ...DEFAULTS[method].run,
  // Vectors have no jitter, and only grey images have a geometry.
  ...(shape.length !== 3 && still),
  ...(!(shape.length === 3 && shape[0] === 1) && { geometry: 'none' }),
  method,
});

export const defaultRunOptions = runDefaultsOf('pada');

/** The methods that have an option; undefined for one that belongs to every run. */
export function methodsWith(option: string): readonly MethodName[] | undefined {
  const methods = METHOD_NAMES.filter((method) => Object.hasOwn(DEFAULTS[method].own, option));
  return methods.length > 0 ? methods : undefined;
}

/**
 * Returns the given options, completed by those of `base`. Default of `base`: {@link runDefaultsOf} the method.
 *
 * @throws TypeError for an unknown name, with the nearest known one, or a value of the wrong type
 * @throws RangeError for a value out of range
 */
export function completeRunOptions(given: Partial<RunOptions>, base?: Readonly<RunOptions>): RunOptions {
  const known = Object.keys(defaultRunOptions) as (keyof RunOptions)[];
  const anything = Object.fromEntries(known.map((name) => [name, { wanted: 'given', holds: () => true }]));
  checkOptions('training', given, {
    ...anything,
    method: oneOf(...METHOD_NAMES),
    geometry: oneOf(...GEOMETRY_NAMES),
  } as never);
  const options = withDefaults(base ?? runDefaultsOf(given.method ?? 'pada'), given);
  // Methods that are not chosen check only the range of their options.
  for (const name of METHOD_NAMES)
    methodOf(name === options.method ? options : { ...options, classWeights: 'saturating' }, name);
  completeOptions(pick(options, defaultOptions));
  const { sourceJitter, targetJitter } = jittersOf(options);
  return {
    ...options,
    sourceJitter: jitterText(sourceJitter?.amounts),
    targetJitter: jitterText(targetJitter?.amounts),
  };
}

/** Splits the options of a run into what `train` takes with the data. */
export const trainArguments = (
  options: RunOptions,
): TrainingOptions & { method: Method; sourceJitter?: Jitter; targetJitter?: Jitter } => ({
  ...pick(options, defaultOptions),
  ...jittersOf(options),
  method: methodOf(options, options.method),
});

const methodOf = (options: RunOptions, name: MethodName): Method =>
  withTargetLosses(
    METHODS[name](pick(options, DEFAULTS[name].own) as Required<MethodOptions>),
    pick(options, additionDefaults),
  );

/** Returns the options of the run that a checkpoint is of, without those that its method does not have. */
export const runOptionsOf = ({ method, jitter, geometry, options }: Checkpoint): Partial<RunOptions> =>
  ({
    method: method.name,
    sourceJitter: jitterText(jitter.source),
    targetJitter: jitterText(jitter.target),
    ...(geometry !== undefined && { geometry }),
    ...options,
    ...method.options,
  }) as Partial<RunOptions>;

/** Parses the jitter of each side; `none` is left out. */
function jittersOf(options: Jitters): { sourceJitter?: Jitter; targetJitter?: Jitter } {
  const sides = ['sourceJitter', 'targetJitter'] as const;
  return Object.fromEntries(
    sides.flatMap((side) => {
      const jitter = parseJitter(`training: ${side}`, options[side]);
      return jitter ? [[side, jitter]] : [];
    }),
  );
}

const pick = <Part extends object>(from: Part, names: Part): Part =>
  Object.fromEntries(Object.keys(names).map((name) => [name, from[name as keyof Part]])) as Part;
