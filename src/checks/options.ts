// Checks the options that a caller passes: the object, the names in it and their values. Without these checks a misspelt or
// misplaced option would be ignored silently. `@__NO_SIDE_EFFECTS__` lets bundlers drop the checks of functions that are not used.

/** @internal The requirement that a value must meet, in words and as a test. */
export interface Check {
  readonly wanted: string;
  holds(value: unknown): boolean;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** @internal A finite number. */
export const anyNumber: Check = { wanted: 'a finite number', holds: isNumber };

/** @internal A finite number >= `least`. @__NO_SIDE_EFFECTS__ */
export function atLeast(least: number): Check {
  return {
    wanted: `a number >= ${least}`,
    holds: (value) => isNumber(value) && value >= least,
  };
}

/** @internal A finite number > `limit`. @__NO_SIDE_EFFECTS__ */
export function above(limit: number): Check {
  return {
    wanted: `a number > ${limit}`,
    holds: (value) => isNumber(value) && value > limit,
  };
}

/** @internal A number in [least, most]. @__NO_SIDE_EFFECTS__ */
export function within(least: number, most: number): Check {
  return {
    wanted: `a number from ${least} to ${most}`,
    holds: (value) => isNumber(value) && value >= least && value <= most,
  };
}

/** @internal Extends a check: rounding to f32 must make the number neither 0 nor infinite. @__NO_SIDE_EFFECTS__ */
export function inF32({ wanted, holds }: Check): Check {
  return {
    wanted: `${wanted} that f32 can hold (1.2e-38 to 3.4e38 in size)`,
    holds: (value) => holds(value) && (value === 0 || isNormal(Math.abs(value as number))),
  };
}

const isNormal = (size: number): boolean => size >= 2 ** -126 && size <= 3.4028234663852886e38;

/** @internal A whole number >= `least`, exact in double precision. @__NO_SIDE_EFFECTS__ */
export function wholeFrom(least: number): Check {
  return {
    wanted: `a whole number >= ${least}`,
    holds: (value) => Number.isSafeInteger(value) && (value as number) >= least,
  };
}

/** @internal A whole number in [least, most]. @__NO_SIDE_EFFECTS__ */
export function wholeWithin(least: number, most: number): Check {
  return {
    wanted: `a whole number from ${least} to ${most}`,
    holds: (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
  };
}

/** @internal A whole number, negative ones included. */
export const whole: Check = { wanted: 'a whole number', holds: Number.isSafeInteger };

/** @internal One of a few names. @__NO_SIDE_EFFECTS__ */
export function oneOf(...names: readonly string[]): Check {
  return {
    wanted: `one of ${names.map((name) => `'${name}'`).join(', ')}`,
    holds: (value) => names.includes(value as string),
  };
}

/** @internal true or false. */
export const flag: Check = { wanted: 'true or false', holds: (value) => typeof value === 'boolean' };

/** @internal A string. */
export const text: Check = { wanted: 'a string', holds: (value) => typeof value === 'string' };

/** @internal A function. */
export const callable: Check = { wanted: 'a function', holds: (value) => typeof value === 'function' };

/** @internal Any value: the op checks it by itself. */
export const anything: Check = { wanted: 'given', holds: () => true };

/** @internal Extends a check: null passes too. @__NO_SIDE_EFFECTS__ */
export function orNull({ wanted, holds }: Check): Check {
  return {
    wanted: `${wanted}, or null`,
    holds: (value) => value === null || holds(value),
  };
}

/** @internal The check of every option in `Options`. */
export type OptionChecks<Options> = { readonly [Name in keyof Required<Options>]: Check };

/**
 * @internal
 * Throws unless `given` is an options object that passes `checks`. `undefined` counts as an empty object, and an option that
 * is `undefined` counts as absent.
 *
 * @param who the op or class, which opens the message
 * @param required options that must be present
 * @throws TypeError for anything but an object, an unknown name, a missing option or a value of the wrong type
 * @throws RangeError for a number or a name that is out of range
 */
export function checkOptions<Options>(
  who: string,
  given: unknown,
  checks: OptionChecks<Options>,
  required: readonly (keyof Options & string)[] = [],
): void {
  const known = Object.keys(checks) as (keyof Options & string)[];
  if (given === undefined && required.length === 0) return;
  if (given === undefined || !isOptions(given)) {
    const such = `{ ${(required.length > 0 ? required : known.slice(0, 3)).join(', ')} }`;
    const names = required.length > 0 ? required : known;
    const first = names.find((name) => checks[name].holds(given)) ?? names[0];
    const meant = first && given !== undefined && !isObject(given) ? `, such as { ${first}: ${String(given)} }` : '';
    throw new TypeError(
      `${who}: expected an options object ${meant ? '' : `${such} `}but got ${show(given)}; pass an object${meant}`,
    );
  }
  const options = given as Record<string, unknown>;
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(checks, name));
  if (unknown !== undefined) throw new TypeError(`${who}: ${unknownName(unknown, known)}`);
  const missing = required.filter((name) => options[name] === undefined);
  if (missing.length > 0)
    throw new TypeError(
      `${who}: ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing from the options`,
    );
  for (const name of known) {
    if (options[name] !== undefined) checkValue(who, name, options[name], checks[name]);
  }
}

/** @internal Returns `defaults` with the options that are given and not undefined. */
export function withDefaults<Options extends object>(
  defaults: Readonly<Options>,
  given: Partial<Options> = {},
): Options {
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(chosen) };
}

/** @internal Throws if an op without options is given any. Numbers pass, because `map` and `reduce` pass an index. */
export function noOptions(who: string, given: unknown): void {
  if (given === undefined || typeof given === 'number') return;
  const [name] = isOptions(given) ? Object.keys(given as object) : [];
  throw new TypeError(
    `${who}: ${name ? unknownName(name, []) : `expected no further argument but got ${show(given)}`}`,
  );
}

/** @internal Throws unless the value of `name` passes the check. The message shows the value with its type. */
export function checkValue(who: string, name: string, value: unknown, { wanted, holds }: Check): void {
  if (holds(value)) return;
  const comparable = typeof value === 'number' || /^one of/.test(wanted);
  throw new (comparable ? RangeError : TypeError)(`${who}: ${name} must be ${wanted} but is ${show(value)}`);
}

/** @internal Returns the message for an unknown option, with the option that was probably meant. */
export function unknownName(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const all = known.length > 0 ? `its options are ${known.join(', ')}` : 'it has no options';
  return `unknown option ${name}; ${meant ? `did you mean ${meant}?` : all}`;
}

/** @internal Writes a value for messages: numbers as they are, everything else with its type. */
export function show(value: unknown): string {
  if (typeof value === 'number' || value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `'${value}' (a string)`;
  if (typeof value === 'function') return `a function${value.name ? ` ${value.name}` : ''}`;
  if (typeof value !== 'object') return `${String(value)} (a ${typeof value})`;
  if (Array.isArray(value))
    return value.length < 8 && !value.some(isObject) ? `[${value}] (an array)` : `an array of ${value.length}`;
  // Bundlers rename a class that refers to itself to `_Tensor`.
  const kind = value.constructor?.name.replace(/^_/, '') ?? 'object';
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** @internal Returns whether a value is an object, arrays included. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** @internal Returns whether a value is an object but no array. */
export const isRecord = (value: unknown): value is Record<string, unknown> => isObject(value) && !Array.isArray(value);

const isOptions = (value: unknown): boolean => isRecord(value) && !ArrayBuffer.isView(value) && !('storage' in value);

// Names in other libraries whose spelling is too far from ours.
const SYNONYMS: Readonly<Record<string, string>> = {
  learningrate: 'lr',
  axis: 'dim',
  axes: 'dim',
  rate: 'p',
  probability: 'p',
  epsilon: 'eps',
  beta1: 'betas',
  beta2: 'betas',
  units: 'outFeatures',
  filters: 'outChannels',
  usebias: 'bias',
  strides: 'stride',
  poolsize: 'kernelSize',
  decay: 'weightDecay',
  l2: 'weightDecay',
  epochs: 'iterations',
  evalevery: 'evalFreq',
  printevery: 'printFreq',
  steps: 'iterations',
};

const letters = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** @internal Returns the known name that was probably meant by `name`. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const own = letters(name);
  const same = known.find((other) => letters(other) === own);
  if (same) return same;
  const synonym = Object.hasOwn(SYNONYMS, own) ? SYNONYMS[own]! : undefined;
  if (synonym && known.includes(synonym)) return synonym;
  const [best] = known
    .map((other) => ({ other, edits: distance(own, letters(other)) }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(1, Math.floor(own.length / 3)) ? best.other : undefined;
}

/** Returns how many letters to insert, delete or replace to turn a into b (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length]!;
}
