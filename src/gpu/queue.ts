import { patiently } from '#gpu';
import { CommandList } from './commandList.ts';
import type { Device } from './device.ts';
import { BufferUsage, MAP_MODE_READ } from './native.ts';
import { PARAMS_STRIDE, ParamsChunk } from './params.ts';
import type { Profiler } from './profiler.ts';
import { type Dispatch, Recording, tick, type Version } from './recording.ts';
import { Counter, setRecording } from './scalar.ts';
import type { Binding } from './storage.ts';

// Work is handed over in batches of this many dispatches, so that a GPU starts early and the params fit one chunk.
const EAGER_DISPATCHES = 128;

/**
 * @internal
 * The order in which the GPU works: dispatches are recorded here and submitted in batches, at the latest
 * when something is read. While a step is captured they go to the step instead.
 */
export class Queue {
  /** What was recorded and not handed over yet. */
  pending: Dispatch[] = [];
  /** The capture under way, if any. */
  recording: Recording | undefined;
  /** Sees every tensor that a kernel reads while it is set. */
  onRead: ((binding: Binding) => void) | undefined;
  private readonly chunk: ParamsChunk;
  /** Measures all that is submitted while it is set. */
  profiler: Profiler | undefined;

  constructor(private readonly device: Device) {
    this.chunk = new ParamsChunk(device, EAGER_DISPATCHES * PARAMS_STRIDE);
  }

  push(dispatch: Dispatch): void {
    this.device.check(dispatch.label);
    if (this.recording) {
      const { recording } = this;
      for (const { storage } of dispatch.bindings) storage.gpu.pool.pin(storage);
      const patches = dispatch.patches.map((patch) => ({ ...patch, scalar: recording.read(patch.scalar) }));
      recording.dispatches.push({ ...dispatch, patches });
      return;
    }
    for (const { scalar } of dispatch.patches) if (scalar instanceof Counter) scalar.advance();
    this.pending.push(dispatch);
    if (this.pending.length >= EAGER_DISPATCHES) this.submit();
  }

  /** Writes bytes from the host, in the order of recorded work: what is pending is submitted first, or the write would overtake it. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView): void {
    this.device.check('write');
    this.refuseInCapture('a write from the host');
    this.submit();
    // WebGPU takes no view of shared memory.
    const own = data.buffer instanceof ArrayBuffer ? data : new Uint8Array(data.byteLength);
    if (own !== data) (own as Uint8Array).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.device.handle.queue.writeBuffer(buffer, offset, own.buffer as ArrayBuffer, own.byteOffset, own.byteLength);
  }

  /** Counts a change of a tensor's content: now, and in a capture at every run. */
  change(version: Version): void {
    if (this.recording) this.recording.change(version);
    else version.changed = tick();
  }

  beginCapture(): Recording {
    this.refuseInCapture('another capture');
    this.submit();
    this.recording = new Recording();
    setRecording(this.recording);
    return this.recording;
  }

  endCapture(): void {
    this.recording = undefined;
    setRecording(undefined);
  }

  /** Throws if a captured function is running; the capture fails with the same error. */
  refuseInCapture(what: string, advice?: string): void {
    this.recording?.refuse(what, advice);
  }

  /** Submits what was recorded, then the given lists: one pass where no copy stands between, one submit. */
  submit(lists: readonly CommandList[] = [], read?: { source: Binding; target: GPUBuffer }): void {
    this.refuseInCapture('a submit');
    if (this.pending.length === 0 && lists.length === 0 && !read) return;
    const { handle } = this.device;
    const encoder = handle.createCommandEncoder({ label: 'padagrad' });
    const work = this.takePending();
    if (!this.profiler && (work || lists.length > 0)) {
      const pass = encoder.beginComputePass({ label: 'padagrad' });
      work?.encode(pass);
      for (const list of lists) list.encode(pass);
      pass.end();
    }
    if (read) {
      const { storage, byteOffset, byteLength } = read.source;
      encoder.copyBufferToBuffer(storage.buffer, byteOffset, read.target, 0, align4(byteLength));
    }
    work?.writeParams();
    for (const list of lists) list.patchParams();
    for (const list of lists) list.writeParams();
    this.profiler?.submit(work ? [work, ...lists] : lists);
    handle.queue.submit([encoder.finish()]);
  }

  /** The bytes of a binding after everything recorded before. */
  async read(source: Binding): Promise<ArrayBuffer> {
    this.device.check(`read ${source.label}`);
    const target = this.device.allocate({
      label: `read ${source.label}`,
      size: Math.max(4, align4(source.byteLength)),
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
    });
    // A browser tells of errors that nobody catches only after what is read has come, which is zeros then.
    this.device.scoped('validation', () => this.submit([], { source, target }));
    try {
      await patiently(target.mapAsync(MAP_MODE_READ));
      await this.device.settle(`read ${source.label}`);
      return target.getMappedRange().slice(0, source.byteLength);
    } catch (cause) {
      return await this.device.unanswered(`read ${source.label}`, cause);
    } finally {
      target.destroy();
    }
  }

  destroy(): void {
    this.pending = [];
    this.chunk.destroy();
  }

  private takePending(): CommandList | undefined {
    if (this.pending.length === 0) return undefined;
    const dispatches = this.pending;
    this.pending = [];
    return new CommandList(this.device, dispatches, [], {
      chunk: this.chunk,
      byteOffset: 0,
      byteLength: this.chunk.size,
    });
  }
}

const align4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;
