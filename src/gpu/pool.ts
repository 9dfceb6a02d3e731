import { GpuError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { BufferUsage } from './native.ts';
import { Storage } from './storage.ts';

// WebGPU asks for multiples of 4; 256 lets near sizes share a buffer and keeps every tail readable as vec4.
const ROUND = 256;
const USAGE = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;

/** Buffers that a Gpu has made for tensors and captured steps and has not destroyed: counts, and sizes in bytes. */
export interface MemoryInfo {
  /** Buffers in use by tensors and captured steps. */
  buffers: number;
  /** Bytes of the buffers in use. */
  bytes: number;
  /** Bytes kept for reuse. */
  pooledBytes: number;
  /** The most bytes that were ever held at once, pooled ones included. */
  peakBytes: number;
}

/**
 * @internal
 * Storage buffers by size, reused. Commands run in the order they were recorded, so a buffer may be handed out again as
 * soon as its last user has recorded its work, before the GPU has done it.
 *
 * While a step is captured, storages are handed out without a buffer: only at its end is it known which of them live on.
 * Those get a buffer of their own. The others hold nothing between two runs, so all captured steps share one set of
 * buffers for them: a step needs no more memory of its own than its results.
 */
export class Pool {
  private readonly free = new Map<number, Storage[]>();
  /** Buffers that captured steps share, each held by the steps that use it. */
  private readonly scratch = new Map<number, Storage[]>();
  /** While a step is captured: the storages made for it, those free to be taken again by its later dispatches, and others' that it uses. */
  private captured: { owned: Set<Storage>; free: Map<number, Storage[]>; pinned: Set<Storage> } | undefined;
  /** Buffers that there was no memory for: nobody else is to have them. */
  private readonly refused = new WeakSet<GPUBuffer>();
  private readonly info: MemoryInfo = { buffers: 0, bytes: 0, pooledBytes: 0, peakBytes: 0 };

  constructor(private readonly gpu: Gpu) {}

  memory(): MemoryInfo {
    return { ...this.info };
  }

  /** A storage of at least `bytes`; its content is whatever its last user left. */
  allocate(bytes: number, label: string): Storage {
    const size = this.checkedSize(bytes, label);
    return this.captured ? this.planned(size) : this.buffer(size, label);
  }

  /** A buffer filled with `data`. No captured step owns it, since a replay could not fill it again. */
  upload(data: ArrayBufferView, label: string): Storage {
    const size = this.checkedSize(data.byteLength, label);
    const storage = this.captured ? undefined : this.reuse(size, label);
    if (storage) {
      this.gpu.queue.write(storage.buffer, 0, data);
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

  /** Holds a buffer from outside that the captured step uses, so that it outlives the tensors its caller disposes. */
  pin(storage: Storage): void {
    const { owned, pinned } = this.captured!;
    if (!owned.has(storage) && !pinned.has(storage)) pinned.add(storage.retain());
  }

  /** Ends the capture and gives its storages their buffers. Returns what the step holds: whoever asked must release it. */
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

  /** Destroys the buffers kept for reuse. Only between submits: a recorded command may still want one. */
  trim(): void {
    for (const list of this.free.values()) for (const storage of list) storage.buffer.destroy();
    this.free.clear();
    this.info.pooledBytes = 0;
  }

  /** A storage of the step that is captured: one that it freed before, or a new one, without a buffer as yet. */
  private planned(size: number): Storage {
    const { owned, free } = this.captured!;
    const storage = free.get(size)?.pop() ?? new Storage(this.gpu, undefined, size, false);
    storage.refs = 1;
    owned.add(storage);
    return storage;
  }

  /** The `index`th of the buffers of a size that captured steps share, retained. */
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
    const buffer = this.gpu.device.allocate(wanted, ` beside ${this.info.bytes} in use`, () =>
      this.refuse(buffer, size),
    );
    this.count(1, size);
    this.info.peakBytes = Math.max(this.info.peakBytes, this.info.bytes + this.info.pooledBytes);
    return new Storage(this.gpu, buffer, size, false);
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
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.device.limits;
    const limit = Math.min(maxStorageBufferBindingSize!, maxBufferSize!);
    if (size <= limit) return size;
    throw new GpuError(
      'LIMIT',
      `${label}: ${size} bytes asked for, but this device binds at most ${limit}; use smaller batches`,
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
