// Finds parts that a module keeps in #private fields, which cannot be seen from outside. If the class of a module has such
// fields, every part that its constructor makes is remembered until a public field shows it. V8 names running constructors in a
// stack trace as "new Name". In other engines a hidden part is found later, by the first forward that uses it (running.ts).

// The constructions in progress, the innermost last.
const running: Construction[] = [];

/** The modules and parameters that the constructor of one module makes. */
export class Construction {
  private readonly unseen = new Set<object>();

  private constructor(
    private readonly name: string,
    private readonly shown: () => Iterable<object>,
  ) {}

  /** Starts watching a module's constructor if its class has #private fields, or a compiler's helpers for them. */
  static of(module: object, base: object, shown: () => Iterable<object>): Construction | undefined {
    for (let object = Object.getPrototypeOf(module); object !== base; object = Object.getPrototypeOf(object)) {
      if (!/#[\p{ID_Start}$_]|rivate/u.test(String(object.constructor))) continue;
      const construction = new Construction(module.constructor.name, shown);
      running.push(construction);
      return construction;
    }
    return undefined;
  }

  /** Returns the parts that no public field has ever shown. */
  hidden(): ReadonlySet<object> {
    if (this.unseen.size > 0) for (const part of this.shown()) this.unseen.delete(part);
    return this.unseen;
  }

  /** Notes that a module or parameter was made. */
  static notes(part: object): void {
    if (running.length === 0) return;
    const stack = String(new Error().stack);
    for (let construction = running.at(-1); construction; construction = running.at(-1)) {
      construction.hidden();
      if (stack.includes(`new ${construction.name} `)) {
        construction.unseen.add(part);
        return;
      }
      running.pop();
    }
  }
}
