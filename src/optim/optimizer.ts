// The base of Sgd and Adam: parameter groups, step counts and state dicts. The subclasses only add their settings, their state
// tensors and a kernel. Everything that may change between steps (learning rates, weight decay) is on the GPU or a Scalar, so
// captured steps follow it.
import { zeroGrad } from '../autograd.ts';
import { anything, atLeast, checkOptions, checkValue, type OptionChecks, show } from '../checks/options.ts';
import { Disposable } from '../gpu/dispose.ts';
import { outsideCapture } from '../gpu/recording.ts';
import { Counter, Scalar } from '../gpu/scalar.ts';
import { checkState, type HostTensor, hostCount, type StateDict, type StatePlace } from '../nn/stateDict.ts';
import { Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { FlatParameters } from './flatParameters.ts';

/** Parameters that share settings (PyTorch's parameter groups). */
export interface ParameterGroup {
  params: Iterable<Tensor>;
  /** Learning rate of the group. A schedule of the optimiser's learning rate changes both in proportion. Default: the optimiser's. */
  lr?: number;
  /** Multiplier of the optimiser's learning rate: another way to give `lr`. Default: 1. */
  lrMultiplier?: number;
  /** Weight decay of the group. Default: the optimiser's. */
  weightDecay?: number;
}

/** The parameters that an optimiser takes: `module.parameters()`, or groups of parameters. */
export type ParametersOrGroups = Iterable<Tensor> | Iterable<ParameterGroup>;

/** @internal In {@link Optimizer.notFinite}: a block that was always finite. */
export const NEVER = 0xffffffff;

const groupChecks: OptionChecks<ParameterGroup> = {
  params: anything,
  lr: atLeast(0),
  lrMultiplier: atLeast(0),
  weightDecay: atLeast(0),
};

/** A {@link Scalar} that takes only learning rates: finite numbers >= 0. */
class LearningRate extends Scalar {
  constructor(
    private readonly who: string,
    value: number,
  ) {
    super(value);
  }

  override get value(): number {
    return super.value;
  }

  override set value(value: number) {
    checkValue(this.who, 'lr', value, atLeast(0));
    super.value = value;
  }
}

/** A group of an optimiser's parameters. Changed settings take effect at the next step, also in captured steps. */
export class OptimizerGroup {
  constructor(
    private readonly who: string,
    readonly params: readonly Tensor[],
    private readonly rate: Scalar,
    private readonly values: { lrMultiplier: number; weightDecay: number },
    private readonly changed: () => void,
  ) {
    Object.freeze(this);
  }

  /** Learning rate: the optimiser's learning rate times `lrMultiplier`. */
  get lr(): number {
    return this.rate.value * this.lrMultiplier;
  }

  set lr(lr: number) {
    checkValue(this.who, 'lr', lr, atLeast(0));
    this.set({ lrMultiplier: multiplierOf(this.who, lr, this.rate.value) });
  }

  get lrMultiplier(): number {
    return this.values.lrMultiplier;
  }

  set lrMultiplier(lrMultiplier: number) {
    this.set({ lrMultiplier });
  }

  get weightDecay(): number {
    return this.values.weightDecay;
  }

  set weightDecay(weightDecay: number) {
    this.set({ weightDecay });
  }

  private set(values: Partial<OptimizerGroup['values']>): void {
    checkOptions(this.who, values, { lrMultiplier: atLeast(0), weightDecay: atLeast(0) });
    Object.assign(this.values, values);
    this.changed();
  }
}

/**
 * Updates parameters by their gradients, all of them in one dispatch. Making an optimiser moves its parameters into one
 * buffer; `backward` then writes their gradients into another. A parameter without gradient is neither updated nor decayed,
 * and its step is not counted, as in PyTorch. Captured steps follow `lr` and the groups; other settings are fixed.
 */
export abstract class Optimizer extends Disposable {
  private readonly rate: Scalar;
  readonly groups: readonly OptimizerGroup[];
  /** @internal */
  readonly flat: FlatParameters;
  /** f32 [groups, 2]: learning-rate multiplier and weight decay of each group. */
  private readonly groupTable: Tensor;
  /**
   * u32 [4, blocks]: twice the steps that each block has seen, of which an update reads one row and writes the other; then the first
   * update in which its gradient, and in which its parameter, was not finite.
   */
  private readonly counts: Tensor;
  /** Updates so far. The parity says which row of {@link counts} the next update reads. */
  private readonly run: Counter;
  private readonly states = new Map<string, Tensor>();

  protected constructor(
    private readonly name: string,
    parameters: ParametersOrGroups,
    { lr, weightDecay }: { lr: number; weightDecay: number },
  ) {
    super();
    this.rate = new LearningRate(name, lr);
    const changed = (): void => write(this.groupTable, this.groupNumbers());
    this.groups = groupsOf(name, parameters, this.rate, weightDecay, changed);
    this.flat = new FlatParameters(
      name,
      this.groups.map(({ params }) => params),
    );
    this.run = new Counter(0);
    const { gpu, blocks } = this.flat;
    this.groupTable = keep(tensor(gpu, this.groupNumbers(), [this.groups.length, 2], 'parameter groups'));
    this.counts = keep(tensor(gpu, this.countsOf(new Uint32Array(blocks)), [4, blocks], 'step counts'));
  }

  /** Learning rate. Write `optimizer.lr = 0.1` or `optimizer.lr.value = 0.1` to change it; captured steps follow it. */
  get lr(): Scalar {
    return this.rate;
  }

  set lr(value: number) {
    this.rate.value = value;
  }

  /** Updates every parameter that has a gradient. Throws if none has one. */
  step(...extra: readonly never[]): void {
    if (extra.length > 0) throw new TypeError(`${this.name}: step() takes no arguments; call backward first`);
    this.update();
    this.flat.changeValues();
  }

  /** @internal Records the update. */
  protected abstract update(): void;

  /** @internal What the kernel of every optimiser is launched with. Call it once per update. */
  protected launch() {
    const { blocks, values: parameter, gradients: gradient } = this.flat;
    const { lr, run, counts, groupTable: groups } = this;
    return {
      bindings: { groupOfBlock: this.flat.groupOfBlock(), groups, counts, gradient, parameter },
      params: { blocks, run, lr },
      workgroups: Math.ceil(blocks / 4),
    };
  }

  /** @internal Updates so far. {@link notFinite} counts them too. */
  get updates(): number {
    return this.run.value;
  }

  /**
   * @internal
   * Reads u32 [2, blocks]: the first update, counted from 0, in which the gradient of a block, and in which its parameter, was NaN
   * or infinite; {@link NEVER} if all were finite. Loading a state starts over.
   */
  async notFinite(): Promise<Uint32Array> {
    return (await this.counts.readU32()).subarray(2 * this.flat.blocks);
  }

  /** Drops the gradients. The next `backward` overwrites them. */
  zeroGrad(): void {
    zeroGrad(this.flat.places.map(({ parameter }) => parameter));
  }

  /**
   * Returns the learning rate, the steps of each parameter and PyTorch's state tensors, as they are when called. Names start
   * with the index of the parameter: `0.step`, `0.exp_avg`.
   */
  stateDict(): Promise<StateDict> {
    return outsideCapture('reading the state', () => this.readState());
  }

  private async readState(): Promise<StateDict> {
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

  /** Loads a state. Throws one `TypeError` that lists everything that does not fit; nothing changes then. */
  loadStateDict(state: ReadonlyMap<string, HostTensor>): void {
    const { places, blocks } = this.flat;
    const wanted = new Map<string, StatePlace>([['lr', { shape: [], kind: 'float' }]]);
    places.forEach(({ parameter: { shape } }, i) => {
      wanted.set(`${i}.step`, { shape: [], kind: 'count' });
      for (const name of this.states.keys()) wanted.set(`${i}.${name}`, { shape, kind: 'float' });
    });
    checkState(this.name, wanted, state);
    const steps = new Uint32Array(blocks);
    places.forEach((place, i) => {
      steps.fill(Number(state.get(`${i}.step`)!.data[0]!), place.block, place.block + place.blocks);
    });
    write(this.counts, this.countsOf(steps));
    for (const [name, tensor] of this.states) {
      const parts = places.map(
        (place, i) => [place, Float32Array.from(state.get(`${i}.${name}`)!.data as Float32Array)] as const,
      );
      write(tensor, this.flat.join(new Map(parts)));
    }
    this.lr.value = Number(state.get('lr')!.data[0]!);
  }

  /** Frees the gradients and the state. The parameters stay, with their values. Safe to call more than once. */
  dispose(): void {
    this.flat.dispose();
    this.groupTable.dispose();
    this.counts.dispose();
  }

  /** Returns {@link counts} for blocks that have seen these steps, and nothing that is not finite. */
  private countsOf(steps: Uint32Array): Uint32Array {
    const counts = new Uint32Array(4 * steps.length).fill(NEVER);
    counts.set(steps);
    counts.set(steps, steps.length);
    return counts;
  }

  private groupNumbers(): Float32Array {
    return Float32Array.from(this.groups.flatMap(({ lrMultiplier, weightDecay }) => [lrMultiplier, weightDecay]));
  }

  /** @internal Makes settings readable and refuses to change them: the state and captured steps depend on them. */
  protected fix(settings: object): void {
    for (const [name, value] of Object.entries(settings)) {
      const set = (): never => {
        throw new TypeError(`${this.name}: ${name} is fixed when the optimiser is made; make another one`);
      };
      Object.defineProperty(this, name, { enumerable: true, get: () => value, set });
    }
  }

  /** @internal Makes a state tensor for all parameters, with PyTorch's name. */
  protected state(name: string): Tensor {
    const made = this.flat.zeros(name);
    this.states.set(name, made);
    return made;
  }
}

function groupsOf(
  who: string,
  parameters: ParametersOrGroups,
  rate: Scalar,
  weightDecay: number,
  changed: () => void,
): OptimizerGroup[] {
  const list = [...(iterable(who, parameters) as Iterable<Tensor | ParameterGroup>)];
  const single = list.length === 0 || list.some((entry) => entry instanceof Tensor);
  const given = single ? [{ params: list as Tensor[] }] : (list as ParameterGroup[]);
  return given.map((group) => {
    const groupName = `${who}: a group`;
    if (!single && !(Object(group) as { params?: unknown }).params)
      throw new TypeError(
        `${who}: expected parameters or groups { params, lr }, but the list holds ${show(group)}; pass module.parameters()`,
      );
    checkOptions(groupName, group, groupChecks, ['params']);
    const { lr, lrMultiplier } = group;
    if (lr !== undefined && lrMultiplier !== undefined)
      throw new TypeError(`${groupName} has both lr and lrMultiplier; give one`);
    const multiplier = lr === undefined ? (lrMultiplier ?? 1) : multiplierOf(groupName, lr, rate.value);
    const values = { lrMultiplier: multiplier, weightDecay: group.weightDecay ?? weightDecay };
    return new OptimizerGroup(groupName, parametersOf(who, group.params), rate, values, changed);
  });
}

function multiplierOf(who: string, lr: number, whole: number): number {
  if (lr === 0) return 0;
  if (whole > 0) return lr / whole;
  throw new TypeError(
    `${who} has lr ${lr}, but the optimiser's lr is 0 and the groups follow it in proportion; give it another`,
  );
}

function iterable(who: string, given: unknown): Iterable<unknown> {
  if (typeof (given as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function')
    return given as Iterable<unknown>;
  throw new TypeError(`${who}: expected parameters but got ${show(given)}; pass module.parameters()`);
}

/** @internal Returns the tensors in `given`. Throws `TypeError` unless it is an iterable of tensors. */
export function parametersOf(who: string, given: unknown): Tensor[] {
  return [...iterable(who, given)].map((entry) => {
    if (entry instanceof Tensor) return entry;
    throw new TypeError(`${who}: a parameter must be a Tensor but is ${show(entry)}; pass module.parameters()`);
  });
}
