import { zeroGrad } from '../autograd.ts';
import { Disposable } from '../gpu/dispose.ts';
import { Counter } from '../gpu/scalar.ts';
import { checkState, type HostTensor, hostCount, type StateDict, type StatePlace } from '../stateDict.ts';
import { type Tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { Parameter } from './parameter.ts';

interface ModuleBuffer {
  readonly value: Tensor | Counter;
  readonly persistent: boolean;
}

/**
 * A part of a network (`torch.nn.Module`). Its parameters are those of its properties that are {@link Parameter}s, its
 * children those that are modules, each named as its property, so names and order are those of PyTorch's `state_dict`.
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
 */
export abstract class Module<Output = Tensor> extends Disposable {
  /** Whether batch norm takes statistics of the batch and dropout drops. */
  training = true;
  private readonly buffers = new Map<string, ModuleBuffer>();

  abstract forward(x: Tensor): Output;

  /** Modules directly below, by name. */
  *namedChildren(): Generator<[name: string, child: Module<unknown>]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Module) yield [name, value];
  }

  /** This module and all below it, by name; its own name is empty. */
  *namedModules(prefix = ''): Generator<[name: string, module: Module<unknown>]> {
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name));
  }

  /** Every parameter once, by the first of its names. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    const seen = new Set<Parameter>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, parameter] of module.ownParameters()) {
        if (!seen.has(parameter)) yield [join(prefix, name), parameter];
        seen.add(parameter);
      }
    }
  }

  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Tensors that are no parameters and yet part of the state: running statistics. */
  *namedBuffers(): Generator<[name: string, buffer: Tensor]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, { value }] of module.buffers)
        if (!(value instanceof Counter)) yield [join(prefix, name), value];
    }
  }

  /** Sets the mode of this module and of all below it. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Goes to eval mode, and returns what puts every module back into its own: a frozen batch norm stays frozen. */
  evalMode(): () => void {
    const modes = [...this.namedModules()].map(([, module]) => [module, module.training] as const);
    this.eval();
    return () => {
      for (const [module, training] of modes) module.training = training;
    };
  }

  /**
   * The state as it is when called, once the GPU has computed it: parameters and buffers by PyTorch's names, batch counts
   * as 64-bit integers. `all` adds what PyTorch has no name for and an exact resume needs, the counters of dropout.
   */
  async stateDict({ all = false }: { all?: boolean } = {}): Promise<StateDict> {
    return new Map(
      await Promise.all([...this.places(all)].map(async ([name, place]) => [name, await readPlace(place)] as const)),
    );
  }

  /**
   * Takes over a state. Names that are missing, not expected or misshapen are listed in one error, and nothing changes.
   * With `strict: false` names may be missing on either side, as for a network that keeps its backbone under a new head.
   */
  loadStateDict(
    state: ReadonlyMap<string, HostTensor>,
    { strict = true, all = false }: { strict?: boolean; all?: boolean } = {},
  ): void {
    const places = this.places(all);
    checkState(
      this.constructor.name,
      new Map([...places].map(([name, place]) => [name, placeOf(place)])),
      state,
      strict,
    );
    for (const [name, place] of places) {
      const given = state.get(name);
      if (!given) continue;
      if (place instanceof Counter) place.count = Number(given.data[0]!);
      else
        write(place, given.data instanceof Float32Array ? given.data : Float32Array.from(given.data as Float64Array));
    }
  }

  /** Frees parameters, their gradients and buffers. Idempotent. */
  dispose(): void {
    for (const parameter of this.parameters()) {
      if (!parameter.isDisposed) zeroGrad([parameter]);
      parameter.dispose();
    }
    for (const [, buffer] of this.namedBuffers()) buffer.dispose();
  }

  /** Adds a tensor to the state under PyTorch's name, or a counter; one that is not persistent is in `stateDict({all: true})` alone. */
  protected registerBuffer<T extends Tensor | Counter>(
    name: string,
    value: T,
    { persistent = true }: { persistent?: boolean } = {},
  ): T {
    this.buffers.set(name, { value, persistent });
    if (!(value instanceof Counter)) keep(value);
    return value;
  }

  private ownParameters(): [name: string, parameter: Parameter][] {
    return Object.entries(this).filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter);
  }

  private places(all: boolean): Map<string, Tensor | Counter> {
    const places = new Map<string, Tensor | Counter>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, parameter] of module.ownParameters()) places.set(join(prefix, name), parameter);
      for (const [name, { value, persistent }] of module.buffers)
        if (persistent || all) places.set(join(prefix, name), value);
    }
    return places;
  }
}

const join = (prefix: string, name: string): string => (prefix ? `${prefix}.${name}` : name);

const placeOf = (place: Tensor | Counter): StatePlace =>
  place instanceof Counter ? { shape: [], kind: 'count' } : { shape: place.shape, kind: 'float' };

async function readPlace(place: Tensor | Counter): Promise<HostTensor> {
  return place instanceof Counter ? hostCount(place.count) : { shape: place.shape, data: await place.read() };
}
