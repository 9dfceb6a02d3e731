// The memory of a Gpu: storage buffers that are reused by size. Creating a buffer is slow, and a training step needs the same sizes each
// time.
import type { Device } from './device.ts';
import { GpuError } from './errors.ts';
import { BufferUsage } from './native.ts';
import type { Queue } from './queue.ts';
import { Storage, type StorageOwner } from './storage.ts';

// WebGPU needs multiples of 4. With 256, tensors of similar sizes share buffers, and kernels can read vec4 at the end of each.
const ROUND = 256;
const USAGE = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;

/** The buffers that a Gpu holds for tensors and captured steps: their count, and sizes in bytes. */
export interface MemoryInfo {
  /** Buffers in use by tensors and captured steps. */
  buffers: number;
  /** Bytes of the buffers in use. */
  bytes: number;
  /** Bytes of buffers kept for reuse. */
  pooledBytes: number;
  /** The highest total so far, buffers kept for reuse included. */
  peakBytes: number;
}

/**
 * @internal
 * Reuses storage buffers by size. Commands run in the order they were recorded. So a buffer is free again as soon as its last
 * user has recorded its work, before the GPU has done it.
 *
 * During a capture, storages get no buffer yet. Only at its end does the pool know which of them outlive the step: these get
 * a buffer of their own. The others hold nothing between two runs, so all captured steps share one set of buffers for them.
 * A step therefore needs memory of its own only for its results.
 */
export class Pool implements StorageOwner {
  private readonly free = new Map<number, Storage[]>();
  /** Buffers that captured steps share. Each is retained by the steps that use it. */
  private readonly scratch = new Map<number, Storage[]>();
  /** During a capture: the storages made for it, those of them that are free again, and storages from outside that it uses. */
  private captured: { owned: Set<Storage>; free: Map<number, Storage[]>; pinned: Set<Storage> } | undefined;
  /** Buffers that the device had no memory for. They are not reused. */
  private readonly refused = new WeakSet<GPUBuffer>();
  private readonly info: MemoryInfo = { buffers: 0, bytes: 0, pooledBytes: 0, peakBytes: 0 };

  constructor(
    private readonly device: Device,
    private readonly queue: Queue,
  ) {}

  memory(): MemoryInfo {
    return { ...this.info };
  }

  /** Returns a storage of at least `bytes`. Its content is undefined. */
  allocate(bytes: number, label: string): Storage {
    const size = this.checkedSize(bytes, label);
    return this.captured ? this.planned(size) : this.buffer(size, label);
  }

  /** Returns a storage filled with `data`. No captured step owns it, because a run could not fill it again. */
  upload(data: ArrayBufferView, label: string): Storage {
    const size = this.checkedSize(data.byteLength, label);
    const storage = this.captured ? undefined : this.reuse(size, label);
    if (storage) {
      this.queue.write(storage.buffer, 0, data);
      return storage;
    }
    const made = this.create(size, label, true);
    new Uint8Array(made.buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    made.buffer.unmap();
    return made;
  }

  /** Called by the last `release()`. */
  reclaim(storage: Storage): void {
    if (storage.external) return;
    if (this.captured?.owned.has(storage)) {
      push(this.captured.free, storage);
      return;
    }
    const shared = this.scratch.get(storage.bytes);
    if (shared?.includes(storage)) shared.splice(shared.indexOf(storage), 1);
    this.count(-1, -storage.bytes);
    if (this.refused.has(storage.buffer)) return;
    this.info.pooledBytes += storage.bytes;
    push(this.free, storage);
  }

  beginCapture(): void {
    this.captured = { owned: new Set(), free: new Map(), pinned: new Set() };
  }

  /** Retains a storage from outside that the captured step uses, so that it outlives the tensors that the caller disposes. */
  pin(storage: Storage): void {
    const { owned, pinned } = this.captured!;
    if (!owned.has(storage) && !pinned.has(storage)) pinned.add(storage.retain());
  }

  /** Ends the capture and gives its storages their buffers. Returns the storages that the step holds; the caller releases them. */
  endCapture(): Storage[] {
    const { owned, pinned } = this.captured!;
    this.captured = undefined;
    const held = [...pinned];
    const taken = new Map<number, number>();
    for (const storage of owned) {
      if (storage.refs > 0) {
        storage.buffer = this.buffer(storage.bytes, 'captured').buffer;
        held.push(storage.retain());
        continue;
      }
      const index = taken.get(storage.bytes) ?? 0;
      taken.set(storage.bytes, index + 1);
      const shared = this.shared(storage.bytes, index);
      storage.buffer = shared.buffer;
      held.push(shared);
    }
    return held;
  }

  /** Destroys the buffers kept for reuse. Call it only after a submit: a recorded command may still need one. */
  trim(): void {
    for (const list of this.free.values()) for (const storage of list) storage.buffer.destroy();
    this.free.clear();
    this.info.pooledBytes = 0;
  }

  /** Returns a storage of the captured step: one that it freed before, or a new one that has no buffer yet. */
  private planned(size: number): Storage {
    const { owned, free } = this.captured!;
    const storage = free.get(size)?.pop() ?? new Storage(this, undefined, size, false);
    storage.refs = 1;
    owned.add(storage);
    return storage;
  }

  /** Retains the `index`th of the buffers of a size that captured steps share. */
  private shared(size: number, index: number): Storage {
    const known = this.scratch.get(size)?.[index];
    if (known) return known.retain();
    const made = this.buffer(size, 'shared by captured steps');
    push(this.scratch, made);
    return made;
  }

  private buffer(size: number, label: string): Storage {
    return this.reuse(size, label) ?? this.create(size, label);
  }

  private reuse(size: number, label: string): Storage | undefined {
    const storage = this.free.get(size)?.pop();
    if (!storage) return undefined;
    storage.refs = 1;
    storage.buffer.label = label;
    this.info.pooledBytes -= size;
    this.count(1, size);
    return storage;
  }

  private create(size: number, label: string, mappedAtCreation = false): Storage {
    const wanted = { size, usage: USAGE, label, mappedAtCreation };
    const buffer = this.device.allocate(wanted, this.info.bytes, () => this.refuse(buffer, size));
    this.count(1, size);
    this.info.peakBytes = Math.max(this.info.peakBytes, this.info.bytes + this.info.pooledBytes);
    return new Storage(this, buffer, size, false);
  }

  private refuse(buffer: GPUBuffer, size: number): void {
    this.refused.add(buffer);
    const free = this.free.get(size) ?? [];
    const at = free.findIndex((storage) => storage.buffer === buffer);
    if (at < 0) return;
    free.splice(at, 1);
    this.info.pooledBytes -= size;
  }

  private checkedSize(bytes: number, label: string): number {
    const size = Math.max(ROUND, Math.ceil(bytes / ROUND) * ROUND);
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const limit = Math.min(maxStorageBufferBindingSize!, maxBufferSize!);
    if (size <= limit) return size;
    throw new GpuError(
      'LIMIT',
      `${label}: needs ${size} bytes, but this device binds at most ${limit} at once; use smaller batches`,
    );
  }

  private count(buffers: number, bytes: number): void {
    this.info.buffers += buffers;
    this.info.bytes += bytes;
  }
}

function push(lists: Map<number, Storage[]>, storage: Storage): void {
  const list = lists.get(storage.bytes);
  if (list) list.push(storage);
  else lists.set(storage.bytes, [storage]);
}
