// The names and values of flags, whatever they mean.
import { type Command, InvalidArgumentError } from 'commander';
import { nearest } from '../checks/options.ts';

/** Returns the flag of an option's name. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Parses a decimal number. */
export function number(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** Returns a parser of whole numbers >= `least`. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number >= ${least}.`);
    return value;
  };

// More runs than anybody starts at once: a larger range is a mistake.
const MOST_SEEDS = 1000;

/** Parses different whole numbers and ranges of them, such as `0,1,2` or `0-4`. */
export function seedList(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [first, last = first!, ...more] = part.split('-').map((end) => whole(0)(end.trim()));
    if (more.length > 0 || last < first!)
      throw new InvalidArgumentError(`'${part}' is no range of seeds; write one such as 0-4.`);
    if (last - first! >= MOST_SEEDS)
      throw new InvalidArgumentError(`'${part}' is more than ${MOST_SEEDS} seeds; write a shorter range.`);
    return Array.from({ length: last - first! + 1 }, (_, i) => first! + i);
  });
  if (new Set(seeds).size < seeds.length) throw new InvalidArgumentError('Each seed may occur only once.');
  return seeds;
}

/**
 * Makes the flags of a command refuse an empty value, such as an unset shell variable gives. If a flag is given twice, the last
 * value counts, as in other programs; `warn` is called with a message if the values differ.
 */
export function checkValues(command: Command, warn: (message: string) => void): void {
  for (const option of command.options.filter(({ required, optional }) => required || optional)) {
    const { parseArg } = option;
    let before: string | undefined;
    option.parseArg = <T>(text: string, previous: T): T => {
      if (text.trim() === '')
        throw new InvalidArgumentError('It must not be empty: set the variable it comes from, or leave the flag out.');
      if (before !== undefined && before !== text)
        warn(`${option.long} is given more than once; ${text} counts, ${before} does not`);
      before = text;
      return parseArg ? parseArg(text, previous) : (text as T);
    };
  }
}

/** Returns which flag an unknown one probably means: one with another library's name, or one of another command. */
export function meantFlag(flag: string, command: Command, others: readonly Command[]): string | undefined {
  const name = flag.replace(/=.*$/, '');
  const known = command.options.map((option) => option.attributeName());
  const meant = nearest(name, known);
  if (meant) return `did you mean ${flagOf(meant)}?`;
  const having = others.filter(({ options }) => options.some(({ short, long }) => name === short || name === long));
  return having.length > 0 ? `it is a flag of ${having.map((other) => other.name()).join(' and ')}` : undefined;
}
