import type { Node } from './autograd.ts';
import type { Device } from './gpu/device.ts';
import { Disposable } from './gpu/dispose.ts';
import { GpuError } from './gpu/errors.ts';
import { checkGpu, type Gpu } from './gpu/gpu.ts';
import type { Native } from './gpu/native.ts';
import { type Binding, Storage } from './gpu/storage.ts';
import { checkShape, type Shape, sameShape, showShape, sizeOf } from './shape.ts';
import { track } from './tidy.ts';

/** Element types. Labels and indices are `u32`. */
export type Dtype = 'f32' | 'u32';

// Garbage that was never disposed: its memory is lost to the pool. Only under createGpu({validate: true}).
const leaks = new FinalizationRegistry<{ label: string; device: Device }>(({ label, device }) => {
  // What goes with its device is lost to nobody.
  if (!device.isDisposed)
    console.warn(`padagrad: ${label} was garbage-collected before dispose(); use tidy or dispose`);
});

/**
 * An array on the GPU: a range of a buffer with a shape, row-major. Ops are functions (`relu(x)`), not methods. Owns GPU
 * memory: `dispose()` it, let a `tidy` do so, or declare it with `using`.
 */
export class Tensor extends Disposable implements Binding {
  /** Whether gradients are wanted for it. */
  requiresGrad = false;
  /** d loss / d this, after `backward(loss)`; null before. Only of tensors that no op made (PyTorch's leaves). */
  grad: Tensor | null = null;
  /** @internal Where the gradient goes, if it has a place of its own (a view into the optimiser's flat buffer). */
  gradSlot: Tensor | null = null;
  /** @internal The op that made it. */
  node: Node | null = null;
  private released = false;

  /** @internal Use {@link tensor} or {@link empty}. */
  constructor(
    private held: Storage,
    readonly shape: Shape,
    readonly dtype: Dtype,
    readonly label: string,
    private offset = 0,
  ) {
    super();
    track(this);
    const { device, options } = this.gpu;
    if (options.validate) leaks.register(this, { label: `${label}${showShape(shape)}`, device }, this);
  }

  get gpu(): Gpu {
    return this.held.gpu;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** @internal */
  get byteLength(): number {
    return 4 * this.size;
  }

  /** @internal */
  get byteOffset(): number {
    return this.offset;
  }

  /** @internal */
  get storage(): Storage {
    if (this.released) {
      throw new GpuError(
        'DISPOSED',
        `${this.label}${showShape(this.shape)} was used after its dispose(); keep() it, or return it from tidy`,
      );
    }
    return this.held;
  }

  get isDisposed(): boolean {
    return this.released;
  }

  /** All elements, in row-major order, once the GPU has computed them. */
  async read(): Promise<Float32Array<ArrayBuffer>> {
    if (this.dtype !== 'f32') throw new TypeError(`read: ${this.label} is ${this.dtype}; use readU32()`);
    return new Float32Array(await this.gpu.queue.read(this));
  }

  /** {@link read} of a `u32` tensor. */
  async readU32(): Promise<Uint32Array<ArrayBuffer>> {
    if (this.dtype !== 'u32') throw new TypeError(`readU32: ${this.label} is ${this.dtype}; use read()`);
    return new Uint32Array(await this.gpu.queue.read(this));
  }

  /** The number that a tensor of one element holds. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new TypeError(`item: ${this.label}${showShape(this.shape)} has ${this.size} elements; use read()`);
    return (this.dtype === 'f32' ? await this.read() : await this.readU32())[0]!;
  }

  /** Gives the memory back. Idempotent; any later use throws. */
  dispose(): void {
    if (this.released) return;
    this.released = true;
    leaks.unregister(this);
    this.held.release();
  }

  /** @internal Another tensor on the same memory. */
  view(shape: Shape = this.shape, byteOffset = 0): Tensor {
    return new Tensor(this.storage.retain(), shape, this.dtype, this.label, this.offset + byteOffset);
  }

  /** @internal Moves to a range of another storage, which holds (or will hold) its content. */
  rebase(storage: Storage, byteOffset: number): void {
    this.held.release();
    this.held = storage.retain();
    this.offset = byteOffset;
  }
}

/** What tensors can be made of: numbers, nested arrays of them, or a typed array with a shape. */
export type TensorData = number | readonly TensorData[] | Float32Array | Uint32Array;

/**
 * A tensor with the given content. `Uint32Array`s give `u32`, everything else `f32`. Without a shape, nested arrays give
 * their own and typed arrays one dimension.
 */
export function tensor(gpu: Gpu, data: TensorData, shape?: Shape, label = 'tensor'): Tensor {
  checkGpu('tensor', gpu);
  const flat = data instanceof Float32Array || data instanceof Uint32Array ? data : Float32Array.from(flatten(data));
  const actual = shape ?? (flat === data ? [flat.length] : nestedShape(data));
  checkShape('tensor', actual);
  if (sizeOf(actual) !== flat.length) {
    throw new TypeError(
      `tensor: shape ${showShape(actual)} wants ${sizeOf(actual)} elements but data has ${flat.length}; make them equal`,
    );
  }
  return new Tensor(gpu.pool.upload(flat, label), actual, flat instanceof Uint32Array ? 'u32' : 'f32', label);
}

/** A tensor whose content is undefined until something is written to it. */
export function empty(gpu: Gpu, shape: Shape, dtype: Dtype = 'f32', label = 'tensor'): Tensor {
  checkShape(label, shape);
  checkGpu(label, gpu);
  return new Tensor(gpu.pool.allocate(4 * sizeOf(shape), `${label}${showShape(shape)}`), shape, dtype, label);
}

/** Overwrites the content of `target`, in the order of recorded work. */
export function write(target: Tensor, data: Float32Array | Uint32Array): void {
  const wanted = target.dtype === 'u32' ? Uint32Array : Float32Array;
  if (!(data instanceof wanted) || data.length !== target.size) {
    const came = `${data.constructor.name} of ${data.length}`;
    throw new TypeError(
      `write: ${target.label}${showShape(target.shape)} wants a ${wanted.name} of ${target.size}, but got a ${came}`,
    );
  }
  target.gpu.queue.write(target.storage.buffer, target.byteOffset, data);
}

/** A tensor on a buffer of the caller's (usage STORAGE, and COPY_SRC to be read), without a copy. The buffer stays the caller's. */
export function fromBuffer(
  gpu: Gpu,
  buffer: Native<'GPUBuffer'>,
  shape: Shape,
  dtype: Dtype = 'f32',
  label = 'fromBuffer',
): Tensor {
  checkShape('fromBuffer', shape);
  const native = buffer as GPUBuffer;
  if (native.size < 4 * sizeOf(shape)) {
    throw new TypeError(
      `fromBuffer: shape ${showShape(shape)} wants ${4 * sizeOf(shape)} bytes but the buffer has ${native.size}`,
    );
  }
  return new Tensor(new Storage(gpu, native, native.size, true), shape, dtype, label);
}

/** The buffer under a tensor, with the range it occupies; recorded work is submitted first, so the caller may use it on the same queue. */
export function native(x: Tensor): { buffer: Native<'GPUBuffer'>; byteOffset: number; byteLength: number } {
  x.gpu.queue.submit();
  return { buffer: x.storage.buffer, byteOffset: x.byteOffset, byteLength: x.byteLength };
}

/** Throws unless `x` has the shape; `who: name` opens the message. */
export function expectShape(who: string, name: string, x: Tensor, shape: Shape): void {
  if (!(x instanceof Tensor && sameShape(x.shape, shape))) {
    throw new TypeError(`${who}: ${name} must be ${showShape(shape)} but is ${showShape(x.shape)}`);
  }
}

/** Throws unless `x` has the element type. */
export function expectDtype(who: string, name: string, x: Tensor, dtype: Dtype): void {
  if (x?.dtype !== dtype) throw new TypeError(`${who}: ${name} must be ${dtype} but is ${x?.dtype ?? 'no Tensor'}`);
}

function flatten(data: TensorData): number[] {
  if (typeof data === 'number') return [data];
  if (typeof data !== 'object') throw new TypeError(`tensor: data holds a ${typeof data}`);
  return Array.from(data as readonly TensorData[]).flatMap(flatten);
}

function nestedShape(data: TensorData): number[] {
  if (typeof data === 'number') return [];
  const items = data as readonly TensorData[];
  const inner = items.length ? nestedShape(items[0]!) : [];
  for (const item of items) {
    if (sameShape(nestedShape(item), inner)) continue;
    throw new TypeError(
      `tensor: nested arrays must be regular, but a part of shape ${showShape(inner)} stands beside one of ${showShape(nestedShape(item))}`,
    );
  }
  return [items.length, ...inner];
}
