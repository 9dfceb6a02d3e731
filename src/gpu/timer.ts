import { patiently } from '#gpu';
import type { CommandList } from './commandList.ts';
import type { Device } from './device.ts';
import { BufferUsage, MAP_MODE_READ } from './native.ts';

/** @internal Measures work with the GPU's timestamps, or with the host's clock if the GPU has none. */
export class Timer {
  /** The clock in use. */
  readonly clock: 'timestamps' | 'wall';

  constructor(private readonly device: Device) {
    this.clock = device.features.has('timestamp-query') ? 'timestamps' : 'wall';
  }

  /** Runs a list `times` times in one pass and one submit, and returns the seconds of all runs together. */
  async run(list: CommandList, times: number): Promise<number> {
    const { device } = this;
    const { handle } = device;
    const encoder = handle.createCommandEncoder({ label: 'timer' });
    const stamps = this.clock === 'timestamps' ? new Stamps(handle) : undefined;
    const pass = encoder.beginComputePass({ label: 'timer', ...(stamps && { timestampWrites: stamps.writes }) });
    for (let i = 0; i < times; i++) list.encode(pass);
    pass.end();
    stamps?.resolve(encoder);
    const commands = encoder.finish();
    list.patchParams();
    list.writeParams();
    await patiently(handle.queue.onSubmittedWorkDone());
    const begin = performance.now();
    handle.queue.submit([commands]);
    await patiently(handle.queue.onSubmittedWorkDone());
    const seconds = (performance.now() - begin) / 1e3;
    await device.settle('timer');
    return stamps ? stamps.seconds() : seconds;
  }
}

/** The timestamps of the beginning and the end of a pass. */
class Stamps {
  readonly writes: GPUComputePassTimestampWrites;
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly target: GPUBuffer;

  constructor(handle: GPUDevice) {
    const buffer = (usage: number) => handle.createBuffer({ label: 'timer', size: 16, usage });
    this.querySet = handle.createQuerySet({ label: 'timer', type: 'timestamp', count: 2 });
    this.resolved = buffer(BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC);
    this.target = buffer(BufferUsage.COPY_DST | BufferUsage.MAP_READ);
    this.writes = { querySet: this.querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.querySet, 0, 2, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.target, 0, 16);
  }

  async seconds(): Promise<number> {
    await patiently(this.target.mapAsync(MAP_MODE_READ));
    const [begin, end] = new BigUint64Array(this.target.getMappedRange());
    for (const thing of [this.querySet, this.resolved, this.target]) thing.destroy();
    return Math.max(0, Number(end! - begin!)) / 1e9;
  }
}
