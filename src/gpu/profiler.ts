// Times every dispatch for `gpu.profile`: by the GPU's timestamps, or by the host's clock where an adapter has none.
import type { CommandList } from './commandList.ts';
import type { Device } from './device.ts';
import { BufferUsage, MAP_MODE_READ } from './native.ts';
import type { Dispatch } from './recording.ts';

/** One measured dispatch. */
export interface ProfileEvent {
  /** Name of the kernel and its entry point: `matmul.product`. */
  kernel: string;
  /** Seconds since the first dispatch began. */
  start: number;
  seconds: number;
  /** Floating-point operations, from the launch; 0 if they are not counted. GEMM and convolution kernels count them. */
  flops: number;
  /** Bytes read and written, from the launch. Default: the bytes of all bindings, each counted once. */
  bytes: number;
}

/** All dispatches of one kernel together. */
export interface ProfileRow {
  kernel: string;
  calls: number;
  seconds: number;
  /** Share of the total time, in [0, 1]. */
  share: number;
  flops: number;
  bytes: number;
}

/** The result of `gpu.profile`. */
export interface Profile {
  /** One row per kernel, the longest first. */
  rows: ProfileRow[];
  events: ProfileEvent[];
  /** Seconds of all dispatches together. */
  seconds: number;
  /** `timestamps` of the GPU, or `wall`: the host's clock over several repetitions of each dispatch. */
  clock: 'timestamps' | 'wall';
}

// A query set holds at most 4096 queries, and a dispatch needs two.
const BATCH = 2048;
// One dispatch is too short for the wall clock.
const REPEATS = 10;

/** @internal Measures dispatches one by one. Each has a pass of its own, so nothing overlaps. */
export class Profiler {
  private readonly events: ProfileEvent[] = [];
  private readonly pending: Promise<void>[] = [];
  private origin: number | undefined;
  private zero: bigint | undefined;
  readonly clock: Profile['clock'];

  constructor(private readonly device: Device) {
    this.clock = device.features.has('timestamp-query') ? 'timestamps' : 'wall';
  }

  /** Runs lists and measures them. */
  submit(lists: readonly CommandList[]): void {
    const work = lists.flatMap((list) =>
      list.dispatches.map((dispatch, i) => ({
        dispatch,
        encode: (pass: GPUComputePassEncoder) => list.encodeOne(pass, i),
      })),
    );
    if (this.clock === 'wall') for (const one of work) this.pending.push(this.submitWall(one));
    else
      for (let at = 0; at < work.length; at += BATCH) this.pending.push(this.submitTimed(work.slice(at, at + BATCH)));
  }

  async finish(): Promise<Profile> {
    // If the device was lost, `settle` throws the reason.
    await Promise.all(this.pending).catch(() => {});
    await this.device.settle('profile');
    const { events, clock } = this;
    const seconds = events.reduce((sum, event) => sum + event.seconds, 0);
    const rows = new Map<string, ProfileRow>();
    for (const event of events) {
      const { kernel } = event;
      const row = rows.get(kernel) ?? { kernel, calls: 0, seconds: 0, share: 0, flops: 0, bytes: 0 };
      row.calls++;
      row.seconds += event.seconds;
      row.share = seconds > 0 ? row.seconds / seconds : 0;
      row.flops += event.flops;
      row.bytes += event.bytes;
      rows.set(kernel, row);
    }
    return { rows: [...rows.values()].sort((a, b) => b.seconds - a.seconds), events, seconds, clock };
  }

  private async submitTimed(work: readonly Work[]): Promise<void> {
    const { handle } = this.device;
    const count = 2 * work.length;
    const querySet = handle.createQuerySet({ label: 'profile', type: 'timestamp', count });
    const resolved = this.buffer(8 * count, BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC);
    const target = this.buffer(8 * count, BufferUsage.COPY_DST | BufferUsage.MAP_READ);
    const encoder = handle.createCommandEncoder({ label: 'profile' });
    for (const [k, { dispatch, encode }] of work.entries()) {
      const pass = encoder.beginComputePass({
        label: dispatch.label,
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * k, endOfPassWriteIndex: 2 * k + 1 },
      });
      encode(pass);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, target, 0, 8 * count);
    handle.queue.submit([encoder.finish()]);
    await target.mapAsync(MAP_MODE_READ);
    const nanoseconds = new BigUint64Array(target.getMappedRange());
    // A double cannot hold nanoseconds since the epoch exactly, so subtract first.
    this.zero ??= nanoseconds[0]!;
    const seconds = (i: number) => Number(nanoseconds[i]! - this.zero!) / 1e9;
    for (const [k, { dispatch }] of work.entries()) this.add(dispatch, seconds(2 * k), seconds(2 * k + 1));
    for (const thing of [querySet, resolved, target]) thing.destroy();
  }

  /** Repeats a dispatch and measures the time, then restores its outputs and runs it once. */
  private async submitWall({ dispatch, encode }: Work): Promise<void> {
    const { handle } = this.device;
    const { pipeline, bindings, label } = dispatch;
    const written = bindings.filter((_, i) => pipeline.bindings[i]!.type === 'storage');
    const kept = written.map(({ storage }) =>
      this.buffer(storage.buffer.size, BufferUsage.COPY_SRC | BufferUsage.COPY_DST),
    );
    const run = (times: number, encoder = handle.createCommandEncoder({ label })) => {
      const pass = encoder.beginComputePass({ label });
      for (let i = 0; i < times; i++) encode(pass);
      pass.end();
      handle.queue.submit([encoder.finish()]);
      return handle.queue.onSubmittedWorkDone().then(() => performance.now() / 1e3);
    };
    const copied = (back: boolean) => {
      const encoder = handle.createCommandEncoder({ label });
      for (const [i, { storage }] of written.entries()) {
        const { buffer } = storage;
        const [from, to] = back ? [kept[i]!, buffer] : [buffer, kept[i]!];
        encoder.copyBufferToBuffer(from, 0, to, 0, buffer.size);
      }
      return encoder;
    };
    const begin = run(1, copied(false));
    const end = run(REPEATS);
    await run(1, copied(true));
    for (const buffer of kept) buffer.destroy();
    const from = await begin;
    this.add(dispatch, from, from + ((await end) - from) / REPEATS);
  }

  private buffer(size: number, usage: number): GPUBuffer {
    return this.device.handle.createBuffer({ label: 'profile', size, usage });
  }

  private add(dispatch: Dispatch, begin: number, end: number): void {
    this.origin ??= begin;
    this.events.push({
      kernel: dispatch.label,
      start: begin - this.origin,
      // The clocks of some GPUs step back a little between passes.
      seconds: Math.max(0, end - begin),
      flops: dispatch.flops,
      bytes: dispatch.bytes,
    });
  }
}

interface Work {
  readonly dispatch: Dispatch;
  encode(pass: GPUComputePassEncoder): void;
}
