// All parameters of an optimiser live in one buffer and their gradients in another, so an update is a single dispatch. The
// buffers consist of blocks of 64 elements. A block belongs to one parameter, and the elements after a parameter's end stay
// zero. A table with one number per block tells the kernel which parameters to update.
import { copyInto } from '../autograd.ts';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Recording } from '../gpu/recording.ts';
import type { Storage } from '../gpu/storage.ts';
import { constant, Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';

/** @internal Elements per block: 256 bytes, the alignment of a binding, so that every parameter can start a block. */
export const BLOCK = 64;
const ABSENT = 0xffffffff;

/** @internal Where a parameter lies in the flat buffers. */
export interface Place {
  readonly parameter: Tensor;
  /** Index of the parameter's group. */
  readonly group: number;
  /** Index of its first block. */
  readonly block: number;
  readonly blocks: number;
}

const hasGradient = ({ parameter }: Place): boolean => parameter.gradient !== null;

/** @internal The flat buffers of an optimiser. */
export class FlatParameters {
  readonly gpu: Gpu;
  readonly places: readonly Place[];
  readonly blocks: number;
  /** f32 [blocks * 64]: all parameters. */
  readonly values: Tensor;
  /** f32 [blocks * 64]: their gradients. */
  readonly gradients: Tensor;
  private readonly tables = new Map<string, Tensor>();
  private readonly owned: Tensor[] = [];

  constructor(who: string, groups: readonly (readonly Tensor[])[]) {
    const parameters = groups.flat();
    check(who, parameters);
    this.gpu = parameters[0]!.gpu;
    this.gpu.queue.refuseInCapture(`making ${who}`);
    let block = 0;
    this.places = groups.flatMap((group, index) =>
      group.map((parameter) => {
        const place = { parameter, group: index, block, blocks: Math.max(1, Math.ceil(parameter.size / BLOCK)) };
        block += place.blocks;
        return place;
      }),
    );
    this.blocks = block;
    this.values = this.zeros('parameters');
    this.gradients = this.zeros('gradients');
    for (const place of this.places) this.adopt(place);
  }

  /** Returns the flat buffers of a parameter; undefined if it has no optimiser. */
  static of({ gradSlot, home }: Tensor): FlatParameters | undefined {
    return gradSlot && home instanceof FlatParameters ? home : undefined;
  }

  /** Makes another flat buffer, for an optimiser's state. */
  zeros(label: string): Tensor {
    const made = keep(tensor(this.gpu, new Float32Array(this.blocks * BLOCK), undefined, label));
    this.owned.push(made);
    return made;
  }

  /** Returns u32 [blocks]: the index of the block's group, or {@link ABSENT} if its parameter has no gradient. */
  groupOfBlock(): Tensor {
    return this.table('group of block', ABSENT, ({ group, block, blocks }, table) =>
      table.fill(group, block, block + blocks),
    );
  }

  /** Returns u32 [blocks]: how many elements of the block belong to one of the `wanted` parameters and have a gradient. */
  usedOfBlock(wanted: ReadonlySet<Tensor>): Tensor {
    const choice = this.places.map(({ parameter }) => Number(wanted.has(parameter))).join('');
    return this.table(`used of block ${choice}`, 0, ({ parameter, block }, table) => {
      for (let left = wanted.has(parameter) ? parameter.size : 0, i = block; left > 0; left -= BLOCK, i++)
        table[i] = Math.min(left, BLOCK);
    });
  }

  /** Marks every parameter that has a gradient as changed: now, and in a capture at every run. */
  changeValues(): void {
    const { places } = this;
    const { queue } = this.gpu;
    queue.recording?.note('values', {}, () => ({ finish: () => ({ apply: () => this.changeValues() }) }));
    for (const { parameter } of places) if (parameter.gradient) queue.change(parameter.version);
  }

  /** Returns the part of a flat array that belongs to a parameter. */
  slice({ parameter, block }: Place, flat: Float32Array): Float32Array {
    return flat.slice(block * BLOCK, block * BLOCK + parameter.size);
  }

  /** Puts the parts of all parameters together as they lie in the flat buffers. */
  join(parts: ReadonlyMap<Place, Float32Array>): Float32Array {
    const flat = new Float32Array(this.blocks * BLOCK);
    for (const [{ block }, part] of parts) flat.set(part, block * BLOCK);
    return flat;
  }

  /** Releases the parameters. They keep their values and their place, and another optimiser may take them. */
  dispose(): void {
    for (const { parameter } of this.places) {
      if (parameter.grad === parameter.gradSlot) parameter.grad = null;
      parameter.gradSlot?.dispose();
      parameter.gradSlot = null;
    }
    for (const flat of [...this.owned, ...this.tables.values()]) flat.dispose();
  }

  /** The parameters that live here, whether their optimiser is disposed or not. */
  get residents(): Tensor[] {
    const all = this.places.map(({ parameter }) => parameter);
    return all.filter((parameter) => parameter.home === this && !parameter.isDisposed);
  }

  /**
   * Returns a table of one number per block: `absent`, or what `fill` writes for each parameter that has a gradient. Every
   * pattern of gradients has its own table, which never changes. The exception is a captured function that does not decide by
   * `zeroGrad` or `backward` which parameters have a gradient: its table is brought up to date before every run.
   */
  private table(name: string, absent: number, fill: (place: Place, table: Uint32Array) => void): Tensor {
    const { gpu, places } = this;
    const { recording } = gpu.queue;
    recording?.expect('alive', this, () =>
      this.values.isDisposed ? 'the optimiser was disposed after the capture' : undefined,
    );
    const gone = places.find(({ parameter }) => parameter.isDisposed);
    if (gone) throw new GpuError('DISPOSED', `step: ${gone.parameter.name} was disposed; dispose its optimiser too`);
    const contents = (has: (place: Place) => boolean): Uint32Array<ArrayBuffer> => {
      const table = new Uint32Array(this.blocks).fill(absent);
      for (const place of places) if (has(place)) fill(place, table);
      return table;
    };
    const undecided = places.filter(({ parameter }) => recording && !parameter.decidesGradient(recording));
    for (const place of places) if (!undecided.includes(place)) gatherGradient(place.parameter);
    if (recording && undecided.length > 0) return this.tableOfRuns(recording, name, undecided, contents);
    const key = `${name} ${this.pattern(hasGradient)}`;
    const table = this.tables.get(key) ?? keep(constant(gpu, contents(hasGradient), name));
    this.tables.set(key, table);
    return table;
  }

  /** Returns the table of a captured step, for parameters that may have a gradient in one run and none in the next. */
  private tableOfRuns(
    recording: Recording,
    name: string,
    undecided: readonly Place[],
    contents: (has: (place: Place) => boolean) => Uint32Array<ArrayBuffer>,
  ): Tensor {
    const decided = new Map(
      this.places.filter((place) => !undecided.includes(place)).map((place) => [place, hasGradient(place)]),
    );
    const has = (place: Place) => decided.get(place) ?? hasGradient(place);
    const hadAll = (place: Place) => decided.get(place) ?? true;
    const table = keep(constant(this.gpu, contents(hadAll), name));
    let pattern = this.pattern(hadAll);
    const prepare = (flush: () => void): void => {
      for (const { parameter } of undecided) {
        if (!parameter.gradient || parameter.gradient === parameter.gradSlot) continue;
        flush();
        gatherGradient(parameter);
      }
      const now = this.pattern(has);
      if (now === pattern) return;
      flush();
      write(table, contents(has));
      pattern = now;
    };
    recording.note('table', table, () => ({ finish: () => ({ prepare, dispose: () => table.dispose() }) }));
    return table;
  }

  /** Throws if no parameter has a gradient: then an update, or a norm, would be of nothing. */
  private pattern(has: (place: Place) => boolean): string {
    if (!this.places.some(has)) throw new Error('step: no parameter has a gradient; call backward first');
    return this.places.map((place) => Number(has(place))).join('');
  }

  /** Moves a parameter into the flat buffers. */
  private adopt({ parameter, block }: Place): void {
    const byteOffset = 4 * BLOCK * block;
    const { shape, label } = parameter;
    const view = (flat: Tensor, name: string) =>
      new Tensor(flat.gpu, flat.storage.retain(), { shape, dtype: 'f32', label: name, byteOffset });
    const moved = view(this.values, label);
    copyInto(parameter, moved);
    moved.dispose();
    parameter.rebase(this.values.storage, byteOffset);
    parameter.home = this;
    parameter.gradSlot = keep(view(this.gradients, `d${label}`));
    gatherGradient(parameter);
  }
}

/** Copies a gradient to the parameter's slot, if it was computed before the slot existed or was set by hand. */
function gatherGradient(parameter: Tensor): void {
  const { grad, gradSlot } = parameter;
  if (!grad || grad === gradSlot) return;
  copyInto(grad, gradSlot!);
  grad.dispose();
  parameter.grad = gradSlot;
}

/** Throws unless all parameters can move into flat buffers. */
function check(who: string, parameters: readonly Tensor[]): void {
  const [first] = parameters;
  if (!first) throw new TypeError(`${who}: got no parameters; pass module.parameters(), or groups of them`);
  const refuse = ({ name }: Tensor, fault: string): never => {
    throw new TypeError(`${who}: ${name} ${fault}`);
  };
  const seen = new Set<Tensor>();
  const holders = new Map<Storage, number>();
  for (const parameter of parameters) {
    const { dtype, node, gpu, gradSlot, storage } = parameter;
    if (dtype !== 'f32') refuse(parameter, `is ${dtype}; parameters must be f32`);
    if (node) refuse(parameter, `was computed by ${node.name}; parameters must be leaves, made by no op`);
    if (gpu !== first.gpu) refuse(parameter, 'lives on another Gpu; use one for all');
    if (seen.has(parameter)) refuse(parameter, 'was passed twice; pass each parameter once');
    if (gradSlot) refuse(parameter, 'belongs to another optimiser; dispose that one first');
    seen.add(parameter);
    holders.set(storage, (holders.get(storage) ?? 0) + 1);
  }
  for (const parameter of parameters) {
    const { storage, home } = parameter;
    const residents = home instanceof FlatParameters ? home.residents : [];
    const others = residents.filter((x) => !seen.has(x)).length;
    if (storage.refs <= others + holders.get(storage)!) continue;
    refuse(
      parameter,
      "must move into the optimiser's buffer, but a captured step or a view holds it; make the optimiser first",
    );
  }
}
