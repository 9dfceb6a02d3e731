import type { Check } from '../checks/options.ts';
import type { Recording } from './recording.ts';

let recording: Recording | undefined;

/** @internal Says which capture is under way, if any. */
export function setRecording(capture: Recording | undefined): void {
  recording = capture;
}

/** @internal The capture under way, for objects that belong to no Gpu: scalars and modules. */
export const recordingUnderWay = (): Recording | undefined => recording;

/** @internal Throws if a captured function is running: a run would not repeat the change. */
export function refuseWhileRecording(what: string): void {
  recording?.refuse(what, 'do it between runs');
}

/** @internal Does asynchronous work. A captured function is refused at once: nothing could catch a rejected promise in it. */
export function outsideCapture<T>(what: string, work: () => Promise<T>): Promise<T> {
  recording?.refuse(what);
  return work();
}

/**
 * A number that changes from step to step (learning rate, reversal coefficient, batch offset). An op accepts one instead of
 * a constant, and a captured step reads its value at every run.
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

/** @internal Whether a finite number is infinite in single precision, in which kernels read it. */
export const overflowsF32 = (value: number): boolean => Number.isFinite(value) && !Number.isFinite(Math.fround(value));

function checkNumber(value: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`Scalar: value must be a number but is '${String(value)}' (a ${typeof value})`);
  if (overflowsF32(value))
    throw new RangeError(`Scalar: value is ${value}, beyond the largest f32 (3.4e38); kernels would read Infinity`);
  return value;
}

/** A {@link Scalar} that each use advances by one, in an eager op and in every run of a captured step (random streams). */
export class Counter extends Scalar {
  constructor(value: number) {
    refuseWhileRecording('making a Counter');
    super(value);
  }

  /** What is saved of it: its value, unless a subclass counts separately. */
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

/** @internal A {@link Counter} whose value is a function of its count. It counts each use, or only when its count is set. */
export class CountedScalar extends Counter {
  private counted = 0;

  constructor(
    private readonly at: (count: number) => number,
    private readonly byItself = true,
  ) {
    super(at(0));
  }

  override get count(): number {
    return this.counted;
  }

  override set count(count: number) {
    if (!(Number.isSafeInteger(count) && count >= 0))
      throw new RangeError(`Counter: count must be a whole number >= 0 but is ${count}`);
    this.value = this.at(count);
    this.counted = count;
  }

  override advance(): void {
    if (this.byItself) this.count++;
  }
}

/** @internal A scalar's value at one place of a captured function. It holds what the latest run read there. */
export class Reading extends Scalar {
  constructor(private readonly of: Scalar) {
    super(of.value);
  }

  /** Reads the scalar for the next run; a counter advances. */
  refresh(): void {
    this.value = this.of.value;
    if (this.of instanceof Counter) this.of.advance();
  }
}

/** @internal As the check says, or a number that changes from step to step. @__NO_SIDE_EFFECTS__ */
export function orScalar({ wanted, holds }: Check): Check {
  return {
    wanted: `${wanted}, or a Scalar`,
    holds: (value) => value instanceof Scalar || holds(value),
  };
}

/** @internal */
export const scalarValue = (x: number | Scalar): number => (typeof x === 'number' ? x : x.value);
