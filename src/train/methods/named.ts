import { checkOptions, oneOf, withDefaults } from '../../checks/options.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { completeOptions, defaultOptions, type TrainingOptions } from '../options.ts';
import { dann, dannDefaults } from './dann.ts';
import type { Method } from './method.ts';
import { type PadaOptions, pada, padaDefaults } from './pada.ts';
import { sourceOnly } from './sourceOnly.ts';

// For programs that choose a method by its name while they run, such as the command line and the page. They keep all options
// of a run in one flat object, which is JSON. A program that knows its method imports it instead, and bundles only that one.

/** The names of the methods in flags and JSON. A list of its own, so that a page that shows them bundles no method. */
export const METHOD_NAMES = ['source-only', 'dann', 'pada'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

/** All options of a run with one of the named methods. A method ignores the options of others. */
export type RunOptions = TrainingOptions & Required<PadaOptions> & { method: MethodName };

const METHODS: Readonly<Record<MethodName, (options: Required<PadaOptions>) => Method>> = {
  'source-only': () => sourceOnly(),
  dann: (options) => dann(pick(options, dannDefaults)),
  pada,
};

export const defaultRunOptions: Readonly<RunOptions> = { method: 'pada', ...defaultOptions, ...padaDefaults };

/**
 * Returns the given options, completed by those of `base`. Default of `base`: {@link defaultRunOptions}.
 *
 * @throws TypeError for an unknown name, with the nearest known one, or a value of the wrong type
 * @throws RangeError for a value out of range
 */
export function completeRunOptions(
  given: Partial<RunOptions>,
  base: Readonly<RunOptions> = defaultRunOptions,
): RunOptions {
  const known = Object.keys(defaultRunOptions) as (keyof RunOptions)[];
  const anything = Object.fromEntries(known.map((name) => [name, { wanted: 'given', holds: () => true }]));
  checkOptions('training', given, { ...anything, method: oneOf(...METHOD_NAMES) } as never);
  const options = withDefaults(base, given);
  pada(pick(options, padaDefaults));
  completeOptions(pick(options, defaultOptions));
  return options;
}

/** Splits the options of a run into what `train` takes. */
export const trainArguments = (options: RunOptions): TrainingOptions & { method: Method } => ({
  ...pick(options, defaultOptions),
  method: METHODS[options.method](pick(options, padaDefaults)),
});

/** Returns the options of the run that a checkpoint is of, without those that its method does not have. */
export const runOptionsOf = ({ method, options }: Checkpoint): Partial<RunOptions> =>
  ({ method: method.name, ...options, ...method.options }) as Partial<RunOptions>;

const pick = <Part extends object>(from: Part, names: Part): Part =>
  Object.fromEntries(Object.keys(names).map((name) => [name, from[name as keyof Part]])) as Part;
