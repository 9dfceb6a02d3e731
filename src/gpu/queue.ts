// Recorded work on its way to the GPU. Launches collect here and are submitted in batches; reads and writes wait for their turn. While
// `capture` records, launches go to its list instead.
import { patiently } from '#gpu';
import { CommandList } from './commandList.ts';
import type { Device } from './device.ts';
import { BufferUsage, MAP_MODE_READ } from './native.ts';
import { PARAMS_STRIDE, ParamsChunk } from './params.ts';
import type { Profiler } from './profiler.ts';
import { type Dispatch, Recording, setRecording } from './recording.ts';
import { readingOf } from './scalar.ts';
import { type Content, tick, type Version } from './storage.ts';

// Work is submitted in batches of this many dispatches, so that a GPU starts early and the params fit one chunk.
const EAGER_DISPATCHES = 128;

/**
 * @internal
 * The order in which the GPU works. Dispatches are recorded here and submitted in batches, at the latest when something is
 * read. During a capture they go to the captured step instead.
 */
export class Queue {
  /** Recorded dispatches that are not submitted yet. */
  pending: Dispatch[] = [];
  /** The capture in progress, if any. */
  recording: Recording | undefined;
  /** While set, it is called with every tensor that a kernel reads. */
  onRead: ((read: Content) => void) | undefined;
  /** While set, it measures everything that is submitted. */
  profiler: Profiler | undefined;
  private readonly chunk: ParamsChunk;

  constructor(private readonly device: Device) {
    this.chunk = new ParamsChunk(device, EAGER_DISPATCHES * PARAMS_STRIDE);
  }

  push(dispatch: Dispatch): void {
    this.device.check(dispatch.label);
    if (this.recording) {
      const { recording } = this;
      for (const { storage } of dispatch.bindings) storage.owner.pin(storage);
      const patches = dispatch.patches.map((patch) => ({ ...patch, scalar: readingOf(recording, patch.scalar) }));
      recording.dispatches.push({ ...dispatch, patches });
      return;
    }
    for (const { scalar } of dispatch.patches) scalar.advance?.();
    this.pending.push(dispatch);
    if (this.pending.length >= EAGER_DISPATCHES) this.submit();
  }

  /** Writes bytes from the host, in the order of recorded work. It submits pending work first, or the write would overtake it. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView): void {
    this.device.check('write');
    this.refuseInCapture('a write from the host');
    this.submit();
    // WebGPU accepts no view of shared memory.
    const own = data.buffer instanceof ArrayBuffer ? data : new Uint8Array(data.byteLength);
    if (own !== data) (own as Uint8Array).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.device.handle.queue.writeBuffer(buffer, offset, own.buffer as ArrayBuffer, own.byteOffset, own.byteLength);
  }

  /** Counts a change of a tensor's content: now, or during a capture at every run. */
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

  /** Throws if a captured function is running. The capture fails with the same error. */
  refuseInCapture(what: string, advice?: string): void {
    this.recording?.refuse(what, advice);
  }

  /** Submits recorded work, then the given lists: in one submit, and in one pass if there is no copy between them. */
  submit(lists: readonly CommandList[] = [], read?: { source: Content; target: GPUBuffer }): void {
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

  /** Returns the bytes of a tensor after all work recorded before. */
  async read(source: Content): Promise<ArrayBuffer> {
    this.device.check(`read ${source.label}`);
    const target = this.device.allocate({
      label: `read ${source.label}`,
      size: Math.max(4, align4(source.byteLength)),
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
    });
    // A browser reports uncaught errors only after the data has arrived, which is zeros then. So the submit has a scope of its own.
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
