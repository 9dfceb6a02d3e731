import { copyInto } from '../autograd.ts';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Storage } from '../gpu/storage.ts';
import { showShape } from '../shape.ts';
import { constant, Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';

/** @internal Elements of a block: 256 bytes, the alignment of a binding, so that every parameter starts a block. */
export const BLOCK = 64;
const ABSENT = 0xffffffff;

// The parameters that live in a flat storage, to tell them from views and captured steps that hold it.
const residents = new WeakMap<Storage, Set<Tensor>>();
// The owner of each gradient slot.
const owners = new WeakMap<Tensor, FlatParameters>();

/** @internal A parameter's place in the flat buffers. */
export interface Place {
  readonly parameter: Tensor;
  readonly group: number;
  /** Its first block. */
  readonly block: number;
  readonly blocks: number;
}

/**
 * @internal
 * All parameters of an optimiser in one buffer and their gradients in another, so that an update is one dispatch over
 * blocks of 64 elements. A block belongs to one parameter; what follows a parameter's end in its last block stays zero.
 */
export class FlatParameters {
  readonly gpu: Gpu;
  readonly places: readonly Place[];
  readonly blocks: number;
  readonly values: Tensor;
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

  /** The flat buffers of a parameter, if it has an optimiser. */
  static of({ gradSlot }: Tensor): FlatParameters | undefined {
    return gradSlot ? owners.get(gradSlot) : undefined;
  }

  /** A further flat buffer: an optimiser's state. */
  zeros(label: string): Tensor {
    const made = keep(tensor(this.gpu, new Float32Array(this.blocks * BLOCK), undefined, label));
    this.owned.push(made);
    return made;
  }

  /** For each block the index of its group, or {@link ABSENT} if its parameter has no gradient. */
  groupOfBlock(): Tensor {
    return this.table('group of block', ABSENT, ({ group, block, blocks }, table) =>
      table.fill(group, block, block + blocks),
    );
  }

  /** For each block how many of its elements belong to one of these parameters and have a gradient. */
  usedOfBlock(wanted: ReadonlySet<Tensor>): Tensor {
    const choice = this.places.map(({ parameter }) => Number(wanted.has(parameter))).join('');
    return this.table(`used of block ${choice}`, 0, ({ parameter, block }, table) => {
      for (let left = wanted.has(parameter) ? parameter.size : 0, i = block; left > 0; left -= BLOCK, i++)
        table[i] = Math.min(left, BLOCK);
    });
  }

  /** Counts the change of every parameter that has a gradient: now, and in a capture at every run. */
  changeValues(): void {
    const { places } = this;
    const { queue } = this.gpu;
    queue.recording?.note('values', {}, () => ({ finish: () => ({ apply: () => this.changeValues() }) }));
    for (const { parameter } of places) if (parameter.gradient) queue.change(parameter.version);
  }

  /**
   * A number for each block; `absent` for parameters without gradient. A captured step whose function leaves it open which
   * parameters have a gradient gets a table of its own, which every run brings up to date. Other tables never change: each
   * pattern of gradients has its own.
   */
  private table(label: string, absent: number, fill: (place: Place, table: Uint32Array) => void): Tensor {
    const { gpu, places } = this;
    const { recording } = gpu.queue;
    const contents = (present: readonly boolean[]): Uint32Array<ArrayBuffer> => {
      const table = new Uint32Array(this.blocks).fill(absent);
      for (const [i, place] of places.entries()) if (present[i]) fill(place, table);
      return table;
    };
    recording?.expect('alive', this, () => this.whyNot());
    const gone = places.find(({ parameter }) => parameter.isDisposed);
    if (gone)
      throw new GpuError(
        'DISPOSED',
        `step: ${gone.parameter.label}${showShape(gone.parameter.shape)} was disposed; dispose its optimiser too`,
      );
    const open = places.filter(({ parameter }) => recording && !parameter.decidesGradient(recording));
    for (const place of places) if (!open.includes(place)) gatherGradient(place.parameter);
    const present = () => places.map(({ parameter }) => parameter.gradient !== null);
    if (!recording || open.length === 0) {
      const key = `${label} ${present().map(Number).join('')}`;
      const table = this.tables.get(key) ?? keep(constant(gpu, contents(present()), label));
      this.tables.set(key, table);
      return table;
    }
    const decided = new Map(
      places.filter((place) => !open.includes(place)).map((place) => [place, place.parameter.gradient !== null]),
    );
    let shown = places.map((place) => decided.get(place) ?? true);
    const table = keep(constant(gpu, contents(shown), label));
    const prepare = (flush: () => void): void => {
      for (const { parameter } of open) {
        if (!parameter.gradient || parameter.gradient === parameter.gradSlot) continue;
        flush();
        gatherGradient(parameter);
      }
      const now = places.map((place) => decided.get(place) ?? place.parameter.gradient !== null);
      if (now.every((one, i) => one === shown[i])) return;
      flush();
      write(table, contents(now));
      shown = now;
    };
    recording.note('table', table, () => ({ finish: () => ({ prepare, dispose: () => table.dispose() }) }));
    return table;
  }

  private whyNot(): string | undefined {
    return this.values.isDisposed ? 'the optimiser was disposed after the capture' : undefined;
  }

  /** The part of a flat array that belongs to a parameter. */
  slice({ parameter, block }: Place, flat: Float32Array): Float32Array {
    return flat.slice(block * BLOCK, block * BLOCK + parameter.size);
  }

  /** Puts parts together as the flat buffers have them. */
  join(parts: ReadonlyMap<Place, Float32Array>): Float32Array {
    const flat = new Float32Array(this.blocks * BLOCK);
    for (const [{ block }, part] of parts) flat.set(part, block * BLOCK);
    return flat;
  }

  /** Releases the parameters: they keep their values and their place, and another optimiser may take them. */
  dispose(): void {
    for (const { parameter } of this.places) {
      if (parameter.grad === parameter.gradSlot) parameter.grad = null;
      parameter.gradSlot?.dispose();
      parameter.gradSlot = null;
    }
    for (const flat of [...this.owned, ...this.tables.values()]) flat.dispose();
  }

  private adopt({ parameter, block }: Place): void {
    const byteOffset = 4 * BLOCK * block;
    const { shape, label } = parameter;
    const view = (flat: Tensor, name: string) => new Tensor(flat.storage.retain(), shape, 'f32', name, byteOffset);
    const moved = view(this.values, label);
    copyInto(parameter, moved);
    moved.dispose();
    residents.get(parameter.storage)?.delete(parameter);
    parameter.rebase(this.values.storage, byteOffset);
    residentsOf(this.values.storage).add(parameter);
    parameter.gradSlot = keep(view(this.gradients, `d${label}`));
    owners.set(parameter.gradSlot, this);
    gatherGradient(parameter);
  }
}

/** A gradient that was computed before the parameter had its slot, or set by hand, goes there. */
function gatherGradient(parameter: Tensor): void {
  const { grad, gradSlot } = parameter;
  if (!grad || grad === gradSlot) return;
  copyInto(grad, gradSlot!);
  grad.dispose();
  parameter.grad = gradSlot;
}

function check(who: string, parameters: readonly Tensor[]): void {
  const [first] = parameters;
  if (!first) throw new TypeError(`${who}: got no parameters; pass module.parameters(), or groups of them`);
  const refuse = ({ label, shape }: Tensor, fault: string): never => {
    throw new TypeError(`${who}: ${label}${showShape(shape)} ${fault}`);
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
    const { storage } = parameter;
    const others = [...residentsOf(storage)].filter((x) => !x.isDisposed && !seen.has(x)).length;
    if (storage.refs <= others + holders.get(storage)!) continue;
    refuse(
      parameter,
      "must move into the optimiser's buffer, but a captured step or a view holds it; make the optimiser first",
    );
  }
}

function residentsOf(storage: Storage): Set<Tensor> {
  const set = residents.get(storage) ?? new Set();
  residents.set(storage, set);
  return set;
}
