// The base class of layers. It finds the parts of a network by looking at its public fields, whenever they are asked for:
// there is no registration and no list that could be out of date. Most of this file refuses what would otherwise be silently
// left out of training or saving; construction.ts and running.ts help with that.
import { zeroGrad } from '../autograd.ts';
import { type Check, checkOptions, checkValue, flag, type OptionChecks, show, text } from '../checks/options.ts';
import { Disposable } from '../gpu/dispose.ts';
import { outsideCapture } from '../gpu/recording.ts';
import { Counter } from '../gpu/scalar.ts';
import { Tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { Construction } from './construction.ts';
import { Mode } from './mode.ts';
import { Parameter } from './parameter.ts';
import { join, partsIn } from './parts.ts';
import { ADVICE, checkListed, run } from './running.ts';
import {
  checkState,
  type HostTensor,
  hostCount,
  type LoadResult,
  type StateDict,
  type StatePlace,
} from './stateDict.ts';

interface BufferOptions {
  persistent?: boolean;
  /** @internal Whether a state may lack it. */
  optional?: boolean;
}

interface ModuleBuffer extends BufferOptions {
  readonly value: Tensor | Counter;
}

const bufferChecks: OptionChecks<BufferOptions> = { persistent: flag, optional: flag };
const stateChecks: OptionChecks<{ all?: boolean }> = { all: flag };
const loadChecks: OptionChecks<{ strict?: boolean; all?: boolean }> = { strict: flag, all: flag };

const aBuffer: Check = { wanted: 'a Tensor or Counter', holds: (x) => x instanceof Tensor || x instanceof Counter };
/** @internal */
export const aModule: Check = { wanted: 'a Module', holds: (x) => x instanceof Module };
const aParameter: Check = { wanted: 'a Parameter', holds: (x) => x instanceof Parameter };
const isPart = (x: unknown): x is Module<unknown> | Tensor => x instanceof Module || x instanceof Tensor;

/**
 * The base class of all layers and networks (`torch.nn.Module`). Its parameters are the {@link Parameter}s in its public fields,
 * its children are the modules in them; arrays, Maps, Sets and plain objects in a field are searched too. Names and order are
 * those of PyTorch's `state_dict`: `fc.weight`, or `blocks.0.weight` for the first module of an array `blocks`.
 *
 * ```ts
 * class Head extends Module {
 *   readonly fc: Linear;
 *   constructor(gpu: Gpu, random: Random) {
 *     super();
 *     this.fc = new Linear(gpu, { inFeatures: 128, outFeatures: 10, random });
 *   }
 *   forward(x: Tensor): Tensor {
 *     return this.fc.forward(x);
 *   }
 * }
 * ```
 *
 * A `#private` field cannot be seen, so register its content: `#fc = this.registerModule('fc', new Linear(...))`. Otherwise
 * the first call that lists parameters or modules throws a `TypeError`, or the first `forward` that uses the hidden part. You may
 * hide parts that are not trained: modules that you use under `noGrad` or with `requiresGrad` false, and put in eval mode yourself.
 */
export abstract class Module<Output = Tensor> extends Disposable {
  readonly #mode = new Mode(this);
  #listed = false;
  /** The `forward` of the class, and the one in its place that checks which parts it uses. */
  #watched: { forward: unknown; written: () => Module<Output>['forward'] } | undefined;
  readonly #buffers = new Map<string, ModuleBuffer>();
  readonly #registered = new Map<string, Module<unknown> | Parameter>();
  readonly #construction: Construction | undefined;
  /** Fields that have held a Parameter. */
  readonly #parameterNames = new Set<string>();

  constructor() {
    super();
    Construction.notes(this);
    this.#construction = Construction.of(this, Module.prototype, () => this.#partsBelow());
  }

  /** Computes the output. */
  abstract forward(x: Tensor): Output;

  /** Training mode: batch norm uses batch statistics and dropout is active. False while class weights are computed. Default: true. */
  get training(): boolean {
    checkListed(this, () => this.#listed);
    return this.#mode.inForce;
  }

  set training(training: boolean) {
    checkValue(this.constructor.name, 'training', training, flag);
    this.#mode.training = training;
  }

  /** Yields the modules directly below this one, by name. */
  *namedChildren(): Generator<[name: string, child: Module<unknown>]> {
    for (const [name, part] of this.#parts()) if (part instanceof Module) yield [name, part];
  }

  /** Yields this module and all below it, by name. This module's own name is empty. */
  *namedModules(prefix = ''): Generator<[name: string, module: Module<unknown>]> {
    this.#watch();
    yield* this.#walk(prefix, []);
  }

  /** Yields every parameter once, by the first of its names. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    const seen = new Set<Parameter>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, parameter] of module.#parameters()) {
        if (!seen.has(parameter)) yield [join(prefix, name), parameter];
        seen.add(parameter);
      }
    }
  }

  /** Yields every parameter once. */
  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Yields the buffers, by name: tensors in the state that are not parameters, such as running statistics. */
  *namedBuffers(): Generator<[name: string, buffer: Tensor]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, { value }] of module.#buffers)
        if (!(value instanceof Counter)) yield [join(prefix, name), value];
    }
  }

  /** Puts this module and all below it in training mode, or with `false` in eval mode. Returns this module. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Puts this module and all below it in eval mode. Returns this module. */
  eval(): this {
    return this.train(false);
  }

  /** Puts all modules in eval mode. Returns a function that puts each back in its own mode: a frozen batch norm stays frozen. */
  evalMode(): () => void {
    const modes = [...this.namedModules()].map(([, module]) => [module, module.#mode.training] as const);
    this.eval();
    return () => {
      for (const [module, training] of modes) module.training = training;
    };
  }

  /**
   * Returns the state as it is when called: parameters and buffers by PyTorch's names, batch counts as 64-bit integers.
   *
   * @param options `all` adds seeds and counters of dropout, which PyTorch does not save but an exact resume needs. Default: false.
   */
  stateDict(options: { all?: boolean } = {}): Promise<StateDict> {
    return outsideCapture('reading the state', async () => {
      checkOptions('stateDict', options, stateChecks);
      const places = [...this.#places(options.all)];
      return new Map(
        await Promise.all(places.map(async ([name, { value }]) => [name, await readPlace(value)] as const)),
      );
    });
  }

  /**
   * Loads a state. Returns the names that are missing and unexpected. A state without `num_batches_tracked` (PyTorch before
   * 0.4.1) leaves the counts as they are.
   *
   * @param options with `strict: false`, names may be missing on either side, but not all: for example to load a backbone
   * under a new head; `all` as for {@link stateDict}. Default: strict.
   * @throws TypeError that lists all missing or unexpected names, wrong shapes and wrong types; nothing changes then
   */
  loadStateDict(state: ReadonlyMap<string, HostTensor>, options: { strict?: boolean; all?: boolean } = {}): LoadResult {
    checkOptions('loadStateDict', options, loadChecks);
    const places = this.#places(options.all);
    const result = checkState(
      this.constructor.name,
      new Map([...places].map(([name, place]) => [name, placeOf(place)])),
      state,
      options.strict,
    );
    for (const [name, { value }] of places) {
      const given = state.get(name);
      if (!given) continue;
      if (value instanceof Counter) value.count = Number(given.data[0]!);
      else
        write(value, given.data instanceof Float32Array ? given.data : Float32Array.from(given.data as Float64Array));
    }
    return result;
  }

  /** Frees parameters, their gradients and buffers, also of all modules below. Safe to call more than once. */
  dispose(): void {
    for (const part of [this, ...this.#partsBelow()]) {
      if (part instanceof Parameter) {
        if (!part.isDisposed) zeroGrad([part]);
        part.dispose();
      } else for (const { value } of part.#buffers.values()) if (value instanceof Tensor) value.dispose();
    }
  }

  /** @internal The `forward` that the class or the user wrote. */
  get unwatchedForward(): unknown {
    return this.#watched?.forward === this.forward ? this.#watched.written() : this.forward;
  }

  /**
   * Adds a tensor or a counter to the state, and returns it. A buffer that is not `persistent` is only in
   * `stateDict({ all: true })`. Default: persistent.
   */
  protected registerBuffer<T extends Tensor | Counter>(name: string, value: T, options: BufferOptions = {}): T {
    checkOptions('registerBuffer', options, bufferChecks);
    this.#checkName('registerBuffer', name, value, aBuffer);
    const { persistent = true, optional = false } = options;
    this.#buffers.set(name, { value, persistent, optional });
    if (!(value instanceof Counter)) keep(value);
    return value;
  }

  /** Adds a module that no public field holds, and returns it: `#fc = this.registerModule('fc', new Linear(...))`. */
  protected registerModule<T extends Module<unknown>>(name: string, module: T): T {
    this.#checkName('registerModule', name, module, aModule);
    this.#registered.set(name, module);
    return module;
  }

  /** Adds a parameter that no public field holds, and returns it. */
  protected registerParameter(name: string, parameter: Parameter): Parameter {
    this.#checkName('registerParameter', name, parameter, aParameter);
    this.#registered.set(name, parameter);
    return parameter;
  }

  /** @internal Notes which fields hold a Parameter: a plain tensor there would be an error. */
  protected noteParameters(): void {
    for (const [field] of this.#parameters()) this.#parameterNames.add(field);
  }

  #checkName(who: string, name: string, value: unknown, wanted: Check): void {
    checkValue(who, 'the name', name, text);
    checkValue(who, name, value, wanted);
    if (this.#buffers.has(name) || this.#registered.has(name))
      throw new TypeError(`${who}: ${this.constructor.name} has registered ${name} already; take another name`);
  }

  /** Yields the modules and tensors in public fields, then those that were registered. */
  *#parts(): Generator<[name: string, part: Module<unknown> | Tensor]> {
    for (const [field, value] of Object.entries(this)) yield* partsIn(value, field, isPart);
    yield* this.#registered;
  }

  #parameters(): [name: string, parameter: Parameter][] {
    return [...this.#parts()].filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter);
  }

  /** Yields every module and parameter below, once. */
  *#partsBelow(seen = new Set<Module<unknown> | Tensor>([])): Generator<Module<unknown> | Parameter> {
    for (const [, part] of this.#parts()) {
      if (seen.has(part) || !(part instanceof Module || part instanceof Parameter)) continue;
      seen.add(part);
      yield part;
      if (part instanceof Module) yield* part.#partsBelow(seen);
    }
  }

  *#walk(prefix: string, around: readonly Module<unknown>[]): Generator<[name: string, module: Module<unknown>]> {
    if (around.includes(this))
      throw new TypeError(
        `${this.constructor.name}: ${prefix} is a module that contains it; keep a reference to it in a #private field`,
      );
    this.#list();
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.#walk(join(prefix, name), [...around, this]);
  }

  /** Notes that this module and its parameters are listed. Throws if a part cannot be listed. */
  #list(): void {
    const { name } = this.constructor;
    this.noteParameters();
    for (const [field, part] of this.#parts()) {
      if (part instanceof Parameter) part.listed = true;
      else if (part instanceof Tensor && this.#parameterNames.has(field))
        throw new TypeError(
          `${name}: ${field} was a Parameter but is a plain tensor now, so it would be neither trained nor saved; change the Parameter by write(${field}, data)`,
        );
      else if (part instanceof Tensor && part.requiresGrad && !part.node)
        throw new TypeError(
          `${name}: ${field} is a tensor with requiresGrad but no Parameter, so it would be neither trained nor saved; make it with new Parameter(gpu, data, shape)`,
        );
    }
    const lost = [...(this.#construction?.hidden() ?? [])].flatMap((part) => {
      if (part instanceof Parameter) return part.requiresGrad && !part.isDisposed ? [part.name] : [];
      return part instanceof Module && part.#buffers.size > 0 && !part.#listed ? [part.constructor.name] : [];
    });
    if (lost.length > 0)
      throw new TypeError(
        `${name}: its constructor makes ${lost.join(', ')}, but no public field holds them, so they would be neither trained nor saved. ${ADVICE}`,
      );
    this.#listed = true;
  }

  /** Makes every later `forward` check that it uses only listed parts. */
  #watch(): void {
    if (this.#watched?.forward === this.forward) return;
    const own = Object.hasOwn(this, 'forward') ? this.forward : undefined;
    const written = () => own ?? Object.getPrototypeOf(this).forward;
    const forward = (...args: Parameters<Module<Output>['forward']>): Output =>
      run(this, args, () => written().apply(this, args));
    this.#watched = { forward, written };
    Object.defineProperty(this, 'forward', { value: forward, enumerable: false, writable: true, configurable: true });
  }

  #places(all = false): Map<string, ModuleBuffer> {
    const places = new Map<string, ModuleBuffer>();
    const add = (prefix: string, name: string, place: ModuleBuffer) => {
      const full = join(prefix, name);
      if (places.has(full))
        throw new TypeError(`stateDict: two parts of ${this.constructor.name} are named ${full}; rename one`);
      places.set(full, place);
    };
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of module.#parameters()) add(prefix, name, { value });
      for (const [name, buffer] of module.#buffers) if (buffer.persistent || all) add(prefix, name, buffer);
    }
    return places;
  }
}

/** @internal Throws `TypeError` if a layer without options is given any. */
export function refuseArguments(who: string, given: readonly unknown[]): void {
  if (given.length > 0) throw new TypeError(`${who}: it takes no options but got ${given.map(show).join(', ')}`);
}

const placeOf = ({ value, optional = false }: ModuleBuffer): StatePlace =>
  value instanceof Counter ? { shape: [], kind: 'count', optional } : { shape: value.shape, kind: 'float', optional };

async function readPlace(place: Tensor | Counter): Promise<HostTensor> {
  return place instanceof Counter ? hostCount(place.count) : { shape: place.shape, data: await place.read() };
}
