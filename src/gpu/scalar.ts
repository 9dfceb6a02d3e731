/**
 * A number that changes from step to step: an op takes it in place of a constant, and a captured step reads its value
 * anew at every run (learning rate, reversal coefficient, batch offset).
 */
export class Scalar {
  constructor(public value: number) {}
}

/** A {@link Scalar} that each use advances by one, in an eager op as in every run of a captured step (random streams). */
export class Counter extends Scalar {
  /** What is saved of it: its value, unless a subclass counts behind it. */
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

/** @internal A {@link Counter} whose value is a function of what it has counted: by itself at each use, or when it is told to. */
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
    this.counted = count;
    this.value = this.at(count);
  }

  override advance(): void {
    if (this.byItself) this.count++;
  }
}

/** @internal */
export const scalarValue = (x: number | Scalar): number => (typeof x === 'number' ? x : x.value);
