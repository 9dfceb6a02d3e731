import type { Device } from './device.ts';
import { BufferUsage } from './native.ts';
import type { Patch } from './recording.ts';

/** @internal Bytes between the params of two dispatches: WebGPU's largest offset alignment of a uniform binding. */
export const PARAMS_STRIDE = 256;
const CHUNK_BYTES = 65536;

/** @internal A range of one uniform buffer with its copy in host memory. */
export interface ParamsRange {
  readonly chunk: ParamsChunk;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** @internal One uniform buffer. It hands out ranges front to back and starts over once all of them are freed. */
export class ParamsChunk {
  readonly buffer: GPUBuffer;
  readonly bytes: ArrayBuffer;
  readonly view: DataView;
  private used = 0;
  private live = 0;
  private dirtyFrom = Number.POSITIVE_INFINITY;
  private dirtyTo = 0;

  constructor(
    private readonly device: Device,
    readonly size: number,
  ) {
    this.buffer = device.handle.createBuffer({
      size,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
      label: `params[${size}]`,
    });
    this.bytes = new ArrayBuffer(size);
    this.view = new DataView(this.bytes);
  }

  take(byteLength: number): ParamsRange | undefined {
    if (this.used + byteLength > this.size) return undefined;
    const range = { chunk: this, byteOffset: this.used, byteLength };
    this.used += byteLength;
    this.live++;
    return range;
  }

  release(): void {
    if (--this.live === 0) this.used = 0;
  }

  /** Notes that the host's copy of these bytes has changed. */
  touch(from: number, to: number): void {
    if (from < this.dirtyFrom) this.dirtyFrom = from;
    if (to > this.dirtyTo) this.dirtyTo = to;
  }

  /** Writes the changed bytes to the GPU in one call, if there are any. */
  flush(): void {
    if (this.dirtyFrom >= this.dirtyTo) return;
    const size = this.dirtyTo - this.dirtyFrom;
    this.device.handle.queue.writeBuffer(this.buffer, this.dirtyFrom, this.bytes, this.dirtyFrom, size);
    this.dirtyFrom = Number.POSITIVE_INFINITY;
    this.dirtyTo = 0;
  }

  destroy(): void {
    this.buffer.destroy();
  }
}

/** @internal The uniform buffers of all captured steps. Steps that run together share one, so they need one `writeBuffer`. */
export class ParamsArena {
  private readonly chunks: ParamsChunk[] = [];

  constructor(private readonly device: Device) {}

  take(dispatches: number): ParamsRange {
    const byteLength = Math.max(1, dispatches) * PARAMS_STRIDE;
    for (const chunk of this.chunks) {
      const range = chunk.take(byteLength);
      if (range) return range;
    }
    const chunk = new ParamsChunk(this.device, Math.max(CHUNK_BYTES, byteLength));
    this.chunks.push(chunk);
    return chunk.take(byteLength)!;
  }

  destroy(): void {
    for (const chunk of this.chunks) chunk.destroy();
  }
}

/** @internal Writes one field of `Params` in WGSL's layout. */
export function writeParam(view: DataView, offset: number, type: Patch['type'], value: number): void {
  if (type === 'f32') view.setFloat32(offset, value, true);
  else if (type === 'u32') view.setUint32(offset, value, true);
  else view.setInt32(offset, value, true);
}
