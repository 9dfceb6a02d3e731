// Numbers that may change between two runs of a captured step, such as a learning rate (Scalar) or a position in the data (Counter).
// Constants are written into a step once; these are read again at each run.
import type { Check } from '../checks/options.ts';
import { type LiveNumber, type Recording, type Refreshable, refuseWhileRecording } from './recording.ts';

/**
 * A number that changes from step to step: a learning rate, a reversal coefficient, an offset into the data. Ops accept one
 * instead of a constant. A captured step reads its value at every run.
 */
export class Scalar {
  private current: number;

  constructor(value: number) {
    this.current = checkNumber(value);
  }

  get value(): number {
    return this.current;
  }

  set value(value: number) {
    refuseWhileRecording('setting a Scalar');
    this.current = checkNumber(value);
  }
}

/** @internal Whether a finite number becomes infinite in single precision, which is what kernels read. */
export const overflowsF32 = (value: number): boolean => Number.isFinite(value) && !Number.isFinite(Math.fround(value));

function checkNumber(value: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`Scalar: value must be a number but is '${String(value)}' (a ${typeof value})`);
  if (overflowsF32(value))
    throw new RangeError(`Scalar: value is ${value}, beyond the largest f32 (3.4e38); kernels would read Infinity`);
  return value;
}

/** A {@link Scalar} that advances by one at each use: in an eager op, and in every run of a captured step (random streams). */
export class Counter extends Scalar {
  constructor(value: number) {
    refuseWhileRecording('making a Counter');
    super(value);
    // The value of a subclass may be any function of its count.
    if (new.target === Counter) checkCount(value);
  }

  /** The number that a state dict saves: the value, unless a subclass counts separately. */
  get count(): number {
    return this.value;
  }

  set count(count: number) {
    this.value = count;
  }

  /** @internal Called after each use. */
  advance(): void {
    this.value++;
  }
}

function checkCount(count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 0))
    throw new RangeError(`Counter: count must be a whole number >= 0 but is ${count}`);
}

/** @internal A {@link Counter} whose value is a function of its count. It counts each use, or only what `count` is set to. */
export class CountedScalar extends Counter {
  private counted = 0;

  constructor(
    private readonly at: (count: number) => number,
    private readonly countsUses = true,
  ) {
    super(at(0));
  }

  override get count(): number {
    return this.counted;
  }

  override set count(count: number) {
    checkCount(count);
    this.value = this.at(count);
    this.counted = count;
  }

  override advance(): void {
    if (this.countsUses) this.count++;
  }
}

/** A scalar's value at one place of a captured function. It holds the value that the latest run read there. */
class Reading extends Scalar implements Refreshable {
  constructor(private readonly of: LiveNumber) {
    super(of.value);
  }

  /** Reads the scalar for the next run. A counter advances. */
  refresh(): void {
    this.value = this.of.value;
    this.of.advance?.();
  }
}

/** @internal Returns a scalar's value at this place of a captured function. Every run reads it again. */
export function readingOf(recording: Recording, scalar: LiveNumber): Scalar {
  if (scalar instanceof Reading) return scalar;
  const reading = new Reading(scalar);
  recording.readings.push(reading);
  return reading;
}

/** @internal Extends a check: a {@link Scalar} passes too. @__NO_SIDE_EFFECTS__ */
export function orScalar({ wanted, holds }: Check): Check {
  return {
    wanted: `${wanted}, or a Scalar`,
    holds: (value) => value instanceof Scalar || holds(value),
  };
}

/** @internal */
export const scalarValue = (x: number | Scalar): number => (typeof x === 'number' ? x : x.value);
