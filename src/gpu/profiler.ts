import type { CommandList } from './commandList.ts';
import type { Device } from './device.ts';
import { BufferUsage, MAP_MODE_READ } from './native.ts';

/** One dispatch as it was measured. */
export interface ProfileEvent {
  kernel: string;
  /** Seconds since the first dispatch began. */
  start: number;
  seconds: number;
  /** Floating-point operations, where the kernel's op counts them; 0 elsewhere. */
  flops: number;
  /** Bytes of all tensors bound: each counted once, however often it is read. */
  bytes: number;
}

/** All dispatches of one kernel. */
export interface ProfileRow {
  kernel: string;
  calls: number;
  seconds: number;
  /** Part of the whole, in [0, 1]. */
  share: number;
  flops: number;
  bytes: number;
}

/** What `gpu.profile` measured. */
export interface Profile {
  /** By kernel, the longest first. */
  rows: ProfileRow[];
  events: ProfileEvent[];
  /** Time of all dispatches together. */
  seconds: number;
  /** `timestamps` of the GPU; `wall` clock around each dispatch where it has none, which adds the way to it and back. */
  clock: 'timestamps' | 'wall';
}

// WebGPU's limit of a query set.
const QUERIES = 4096;

/** @internal Measures dispatches one by one: each in a pass of its own, so nothing overlaps. */
export class Profiler {
  private readonly events: ProfileEvent[] = [];
  private readonly pending: Promise<void>[] = [];
  private origin: bigint | undefined;
  readonly clock: Profile['clock'];

  constructor(private readonly device: Device) {
    this.clock = device.features.has('timestamp-query') ? 'timestamps' : 'wall';
  }

  /** Runs lists, measured. */
  submit(lists: readonly CommandList[]): void {
    if (this.clock === 'wall') {
      this.submitWall(lists);
      return;
    }
    const all = lists.flatMap((list) => Array.from({ length: list.length }, (_, i) => ({ list, i })));
    for (let from = 0; from < all.length; from += QUERIES / 2) this.submitTimed(all.slice(from, from + QUERIES / 2));
  }

  async finish(): Promise<Profile> {
    await Promise.all(this.pending);
    const seconds = this.events.reduce((a, e) => a + e.seconds, 0);
    const rows = new Map<string, ProfileRow>();
    for (const event of this.events) {
      const row = rows.get(event.kernel) ?? {
        kernel: event.kernel,
        calls: 0,
        seconds: 0,
        share: 0,
        flops: 0,
        bytes: 0,
      };
      row.calls++;
      row.seconds += event.seconds;
      row.flops += event.flops;
      row.bytes += event.bytes;
      rows.set(event.kernel, row);
    }
    for (const row of rows.values()) row.share = seconds > 0 ? row.seconds / seconds : 0;
    return {
      rows: [...rows.values()].sort((a, b) => b.seconds - a.seconds),
      events: this.events,
      seconds,
      clock: this.clock,
    };
  }

  private submitTimed(work: readonly { list: CommandList; i: number }[]): void {
    const { handle } = this.device;
    const count = 2 * work.length;
    const querySet = handle.createQuerySet({ label: 'profile', type: 'timestamp', count });
    const resolved = handle.createBuffer({
      label: 'profile',
      size: 8 * count,
      usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC,
    });
    const target = handle.createBuffer({
      label: 'profile',
      size: 8 * count,
      usage: BufferUsage.COPY_DST | BufferUsage.MAP_READ,
    });
    const encoder = handle.createCommandEncoder({ label: 'profile' });
    for (const [k, { list, i }] of work.entries()) {
      const pass = encoder.beginComputePass({
        label: list.info(i).label,
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * k, endOfPassWriteIndex: 2 * k + 1 },
      });
      list.encodeOne(pass, i);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, target, 0, 8 * count);
    handle.queue.submit([encoder.finish()]);
    this.pending.push(
      target.mapAsync(MAP_MODE_READ).then(() => {
        const times = new BigUint64Array(target.getMappedRange().slice(0));
        this.origin ??= times[0]!;
        for (const [k, { list, i }] of work.entries()) {
          // Clocks of some GPUs step back a little between passes.
          const nanoseconds = Math.max(0, Number(times[2 * k + 1]! - times[2 * k]!));
          this.add(list, i, Number(times[2 * k]! - this.origin) / 1e9, nanoseconds / 1e9);
        }
        for (const thing of [querySet, resolved, target]) thing.destroy();
      }),
    );
  }

  private submitWall(lists: readonly CommandList[]): void {
    const { handle } = this.device;
    const begin = performance.now();
    let before = handle.queue.onSubmittedWorkDone();
    for (const list of lists) {
      for (let i = 0; i < list.length; i++) {
        const waited = before.then(() => performance.now());
        const encoder = handle.createCommandEncoder({ label: 'profile' });
        const pass = encoder.beginComputePass({ label: list.info(i).label });
        list.encodeOne(pass, i);
        pass.end();
        const commands = encoder.finish();
        before = waited.then(async (start) => {
          handle.queue.submit([commands]);
          await handle.queue.onSubmittedWorkDone();
          this.add(list, i, (start - begin) / 1000, (performance.now() - start) / 1000);
        });
      }
    }
    this.pending.push(before.then(() => {}));
  }

  private add(list: CommandList, i: number, start: number, seconds: number): void {
    const { label, flops, bytes } = list.info(i);
    this.events.push({ kernel: label, start, seconds, flops, bytes });
  }
}
