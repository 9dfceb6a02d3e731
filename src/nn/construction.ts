// Finds parts that a module keeps in #private fields: nothing shows such fields from outside. So if the class of a module has
// any, everything made while its constructor runs is remembered until a public field shows it. V8 names running constructors
// in a stack as "new Name"; with other engines only the first forward that uses a hidden part finds it (module.ts).

// Constructors that run, the innermost last.
const running: Construction[] = [];

/** The parts that the constructor of one module makes. */
export class Construction {
  private readonly unseen = new Set<object>();

  private constructor(
    private readonly name: string,
    private readonly shown: () => Iterable<object>,
  ) {}

  /** Starts with the constructor of a module if its class has #private fields, or helpers of a compiler for them. */
  static of(module: object, base: object, shown: () => Iterable<object>): Construction | undefined {
    for (let object = Object.getPrototypeOf(module); object !== base; object = Object.getPrototypeOf(object)) {
      if (!/#[\p{ID_Start}$_]|rivate/u.test(String(object.constructor))) continue;
      const construction = new Construction(module.constructor.name, shown);
      running.push(construction);
      return construction;
    }
    return undefined;
  }

  /** Parts that no public field has shown. A part that was replaced since has been shown. */
  hidden(): ReadonlySet<object> {
    if (this.unseen.size > 0) for (const part of this.shown()) this.unseen.delete(part);
    return this.unseen;
  }

  /** Notes that a module or parameter is made. */
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
