import { zeroGrad } from '../autograd.ts';
import { checkAtLeast } from '../checkNumbers.ts';
import { Disposable } from '../gpu/dispose.ts';
import { Counter, Scalar } from '../gpu/scalar.ts';
import { checkState, type HostTensor, hostCount, type StateDict, type StatePlace } from '../stateDict.ts';
import { Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { FlatParameters } from './flatParameters.ts';

/** Parameters that are updated alike. */
export interface ParameterGroup {
  params: Iterable<Tensor>;
  /** Times the optimiser's learning rate: 1 by default. */
  lrMultiplier?: number;
  /** In place of the optimiser's. */
  weightDecay?: number;
}

/** What an optimiser takes: `module.parameters()`, or groups of parameters. */
export type ParametersOrGroups = Iterable<Tensor> | Iterable<ParameterGroup>;

/** A group as the optimiser uses it. */
export interface OptimizerGroup {
  readonly params: readonly Tensor[];
  readonly lrMultiplier: number;
  readonly weightDecay: number;
}

/**
 * Moves parameters against their gradients, all of them in one dispatch. The parameters come to live side by side in one
 * buffer, and backward writes their gradients side by side into another. A parameter without gradient is left alone:
 * neither updated nor decayed, and its step is not counted. `lr` is read anew by every run of a captured step.
 */
export abstract class Optimizer extends Disposable {
  readonly lr: Scalar;
  readonly groups: readonly OptimizerGroup[];
  /** @internal */
  readonly flat: FlatParameters;
  /** @internal Learning-rate multiplier and weight decay of each group. */
  protected readonly groupTable: Tensor;
  /**
   * @internal
   * Steps that each block has seen, twice: an update reads one half and writes the other, so that no invocation reads a
   * count which another one of the same dispatch writes.
   */
  protected readonly counts: Tensor;
  /** @internal Says by its parity which half of {@link counts} is read. */
  protected readonly run = new Counter(0);
  private readonly states = new Map<string, Tensor>();

  protected constructor(
    private readonly name: string,
    parameters: ParametersOrGroups,
    { lr, weightDecay }: { lr: number; weightDecay: number },
  ) {
    super();
    checkAtLeast(name, { lr, weightDecay });
    this.lr = new Scalar(lr);
    this.groups = groupsOf(name, parameters, weightDecay);
    this.flat = new FlatParameters(
      name,
      this.groups.map(({ params }) => params),
    );
    const { gpu, blocks } = this.flat;
    const numbers = this.groups.flatMap((group) => [group.lrMultiplier, group.weightDecay]);
    this.groupTable = keep(tensor(gpu, Float32Array.from(numbers), [this.groups.length, 2], 'parameter groups'));
    this.counts = keep(tensor(gpu, new Uint32Array(2 * blocks), undefined, 'step counts'));
  }

  /** Updates every parameter that has a gradient. */
  abstract step(): void;

  /** Forgets the gradients; the next `backward` writes them anew. */
  zeroGrad(): void {
    zeroGrad(this.flat.places.map(({ parameter }) => parameter));
  }

  /** Learning rate and, of each parameter by its place, the step count and PyTorch's state tensors, as they are when called. */
  async stateDict(): Promise<StateDict> {
    const { places, blocks } = this.flat;
    const half = (this.run.value & 1) * blocks;
    const lr: HostTensor = { shape: [], data: Float64Array.of(this.lr.value) };
    const [counts, ...flats] = await Promise.all([
      this.counts.readU32(),
      ...[...this.states.values()].map((state) => state.read()),
    ]);
    const state: StateDict = new Map([['lr', lr]]);
    places.forEach((place, i) => {
      state.set(`${i}.step`, hostCount(counts[half + place.block]!));
      [...this.states.keys()].forEach((name, k) => {
        state.set(`${i}.${name}`, { shape: place.parameter.shape, data: this.flat.slice(place, flats[k]!) });
      });
    });
    return state;
  }

  /** Takes over a state; whatever of it does not fit is listed in one error, and nothing changes. */
  loadStateDict(state: ReadonlyMap<string, HostTensor>): void {
    const { places, blocks } = this.flat;
    const wanted = new Map<string, StatePlace>([['lr', { shape: [], kind: 'float' }]]);
    places.forEach(({ parameter: { shape } }, i) => {
      wanted.set(`${i}.step`, { shape: [], kind: 'count' });
      for (const name of this.states.keys()) wanted.set(`${i}.${name}`, { shape, kind: 'float' });
    });
    checkState(this.name, wanted, state);
    const counts = new Uint32Array(2 * blocks);
    places.forEach((place, i) => {
      const count = Number(state.get(`${i}.step`)!.data[0]!);
      for (const start of [place.block, blocks + place.block]) counts.fill(count, start, start + place.blocks);
    });
    write(this.counts, counts);
    for (const [name, tensor] of this.states) {
      const parts = places.map(
        (place, i) => [place, Float32Array.from(state.get(`${i}.${name}`)!.data as Float32Array)] as const,
      );
      write(tensor, this.flat.join(new Map(parts)));
    }
    this.lr.value = Number(state.get('lr')!.data[0]!);
  }

  /** Frees the gradients and the state; the parameters stay, with their values. Idempotent. */
  dispose(): void {
    this.flat.dispose();
    this.groupTable.dispose();
    this.counts.dispose();
  }

  /** @internal A state tensor of every parameter, by PyTorch's name. */
  protected state(name: string): Tensor {
    const made = this.flat.zeros(name);
    this.states.set(name, made);
    return made;
  }
}

function groupsOf(who: string, parameters: ParametersOrGroups, weightDecay: number): OptimizerGroup[] {
  const list = [...(parameters as Iterable<Tensor | ParameterGroup>)];
  const given = list.some((entry) => entry instanceof Tensor)
    ? [{ params: list as Tensor[] }]
    : (list as ParameterGroup[]);
  return given.map((group) => {
    const complete = { lrMultiplier: 1, weightDecay, ...group, params: [...group.params] };
    checkAtLeast(who, { lrMultiplier: complete.lrMultiplier, weightDecay: complete.weightDecay });
    return complete;
  });
}
