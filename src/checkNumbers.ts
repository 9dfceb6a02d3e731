/** @internal Throws unless every one is a number >= 0. */
export function checkAtLeast(who: string, numbers: Readonly<Record<string, number>>): void {
  check(who, numbers, 0, 'number');
}

/** @internal Throws unless every one is a whole number >= `least`. */
export function checkWhole(who: string, numbers: Readonly<Record<string, number>>, least = 1): void {
  check(who, numbers, least, 'whole number');
}

function check(who: string, numbers: Readonly<Record<string, number>>, least: number, kind: string): void {
  for (const [name, value] of Object.entries(numbers)) {
    const known = kind === 'number' ? Number.isFinite(value) : Number.isSafeInteger(value);
    if (!(known && value >= least))
      throw new RangeError(`${who}: ${name} must be a ${kind} >= ${least} but is ${value}`);
  }
}
