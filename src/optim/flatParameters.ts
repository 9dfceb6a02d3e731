import { copyInto } from '../autograd.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Storage } from '../gpu/storage.ts';
import { sameShape, showShape } from '../shape.ts';
import { Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';

/** @internal Elements of a block: 256 bytes, the alignment of a binding, so that every parameter starts a block. */
export const BLOCK = 64;
const ABSENT = 0xffffffff;

// Which parameters live in a flat storage, to tell them from others who hold it.
const residents = new WeakMap<Storage, Set<Tensor>>();
// Whose slot a gradient has.
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

  /** Those that a parameter lives in, if any. */
  static of({ gradSlot }: Tensor): FlatParameters | undefined {
    return gradSlot ? owners.get(gradSlot) : undefined;
  }

  /** A flat buffer beside those of the parameters and gradients: an optimiser's state. */
  zeros(label: string): Tensor {
    const made = keep(tensor(this.gpu, new Float32Array(this.blocks * BLOCK), undefined, label));
    this.owned.push(made);
    return made;
  }

  /**
   * For each block the index of its group, or {@link ABSENT} where its parameter has no gradient now. A table never
   * changes, since captured steps hold it: each pattern of present gradients has its own.
   */
  groupOfBlock(): Tensor {
    for (const { parameter } of this.places) gatherGradient(parameter);
    return this.table(
      'group of block',
      ({ grad }) => grad !== null,
      ({ group, block, blocks }, present, table) => table.fill(present ? group : ABSENT, block, block + blocks),
    );
  }

  /** For each block how many of its elements belong to one of these parameters. */
  usedOfBlock(wanted: ReadonlySet<Tensor>): Tensor {
    return this.table(
      'used of block',
      (parameter) => wanted.has(parameter),
      ({ parameter, block }, present, table) => {
        for (let left = present ? parameter.size : 0, i = block; left > 0; left -= BLOCK, i++)
          table[i] = Math.min(left, BLOCK);
      },
    );
  }

  /** A table of blocks for a choice of parameters, made when that choice is first met. */
  private table(
    label: string,
    chosen: (parameter: Tensor) => boolean,
    fill: (place: Place, chosen: boolean, table: Uint32Array) => void,
  ): Tensor {
    const choice = this.places.map(({ parameter }) => chosen(parameter));
    const key = `${label} ${choice.map(Number).join('')}`;
    let table = this.tables.get(key);
    if (!table) {
      const blocks = new Uint32Array(this.blocks);
      for (const [i, place] of this.places.entries()) fill(place, choice[i]!, blocks);
      table = keep(tensor(this.gpu, blocks, undefined, label));
      this.tables.set(key, table);
    }
    return table;
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

  /** Lets the parameters go: they keep their values and their place, and another optimiser may take them. */
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
  const { grad, gradSlot, shape, label } = parameter;
  if (!grad || grad === gradSlot) return;
  if (!sameShape(grad.shape, shape)) {
    throw new TypeError(`step: the gradient of ${label} must be ${showShape(shape)} but is ${showShape(grad.shape)}`);
  }
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
      'is to be moved beside the others, but a captured step or a view holds it; make the optimiser first',
    );
  }
}

function residentsOf(storage: Storage): Set<Tensor> {
  const set = residents.get(storage) ?? new Set();
  residents.set(storage, set);
  return set;
}
