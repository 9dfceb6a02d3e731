// The object that `createGpu` returns and that every tensor belongs to. It joins the parts of this folder: device, memory pool, queue,
// uniform buffers, compiled pipelines.
import { patiently, webgpu } from '#gpu';
import { adoptDevice, type DeviceOptions, type GpuKind, requestDevice } from './adapter.ts';
import type { AdapterInfo, Device } from './device.ts';
import { Disposable } from './dispose.ts';
import type { Native } from './native.ts';
import { ParamsArena } from './params.ts';
import type { Pipeline } from './pipeline.ts';
import { type MemoryInfo, Pool } from './pool.ts';
import type { Profile } from './profiler.ts';
import { Queue } from './queue.ts';
import { outsideCapture } from './recording.ts';
import type { WgslModule } from './wgsl.ts';

/** A GPU with its memory and its queue of work. Every tensor belongs to one. */
export class Gpu extends Disposable {
  /** @internal */ readonly pool: Pool;
  /** @internal */ readonly queue: Queue;
  /** @internal */ readonly params: ParamsArena;
  /** @internal The pipelines of each kernel by entry point, bindings and constants. */
  readonly pipelines = new WeakMap<WgslModule, Map<string, Pipeline>>();
  /** @internal State that the layers above keep for this Gpu, see {@link GpuState}. */
  readonly states = new Map<unknown, unknown>();

  /** @internal */
  constructor(
    /** @internal */ readonly device: Device,
    readonly options: Readonly<DeviceOptions>,
  ) {
    super();
    this.queue = new Queue(device);
    this.pool = new Pool(device, this.queue);
    this.params = new ParamsArena(device);
  }

  /** The adapter's description of itself. */
  get info(): Readonly<AdapterInfo> {
    return this.device.info;
  }

  /** The device's limits, by WebGPU's names. */
  get limits(): Readonly<Record<string, number>> {
    return this.device.limits;
  }

  /** The features that kernels may use, by WebGPU's names. */
  get features(): ReadonlySet<string> {
    return this.device.features;
  }

  /** Lanes of a subgroup; 0 if kernels cannot use subgroups. */
  get subgroupSize(): number {
    return this.device.subgroupSize;
  }

  /**
   * The kind of device that kernels are chosen for: `cpu` if the adapter runs on the CPU, else `gpu`. `createGpu({ kind })` forces it, so
   * that tests can run the kernels of GPUs on any adapter.
   */
  get kind(): GpuKind {
    return this.options.kind ?? (this.info.software ? 'cpu' : 'gpu');
  }

  /** The underlying `GPUDevice`. */
  get native(): Native<'GPUDevice'> {
    return this.device.handle;
  }

  /** Returns the number of buffers in use, and the bytes in use, kept for reuse, and at the peak. */
  memory(): MemoryInfo {
    return this.pool.memory();
  }

  /** Resolves when the GPU has done all recorded work. Throws the first error of that work. */
  idle(): Promise<void> {
    return outsideCapture('waiting for the GPU', () => this.wait());
  }

  private async wait(): Promise<void> {
    this.device.check('idle');
    this.device.scoped('validation', () => this.queue.submit());
    await patiently(this.device.handle.queue.onSubmittedWorkDone()).catch((cause) =>
      this.device.unanswered('idle', cause),
    );
    await this.device.settle('idle');
  }

  /**
   * Measures every dispatch that `fn` makes, eagerly or by running captured steps, until `fn` returns or its promise resolves.
   * Returns the time, the floating-point operations and the bytes per kernel. Each dispatch runs on its own, so the sum is
   * larger than the time of the same work without a profile. Only one profile can run at a time.
   */
  profile(fn: () => unknown): Promise<Profile> {
    return outsideCapture('a profile', () => this.measure(fn));
  }

  private async measure(fn: () => unknown): Promise<Profile> {
    this.device.check('profile');
    // Few programs need it, so it is loaded on demand.
    const { Profiler } = await import('./profiler.ts');
    if (this.queue.profiler) throw new Error('profile: another profile is running; await it first');
    this.queue.submit();
    const profiler = new Profiler(this.device);
    this.queue.profiler = profiler;
    try {
      await fn();
      this.queue.submit();
    } finally {
      this.queue.profiler = undefined;
    }
    return profiler.finish();
  }

  /** Submits recorded work to the GPU now, without waiting for it. */
  submit(): void {
    this.queue.submit();
  }

  /** Frees everything, the tensors of this Gpu included. A device that you passed to `createGpu` stays alive. */
  dispose(): void {
    if (this.device.isDisposed) return;
    this.queue.destroy();
    this.params.destroy();
    this.pool.trim();
    this.device.dispose();
  }
}

/**
 * @internal
 * State that a layer above keeps for each Gpu. The layer declares it once and only the layer knows its type, so gpu/ imports
 * nothing from above. The state lives as long as its Gpu.
 */
export class GpuState<State> {
  constructor(private readonly initial: () => State) {}

  /** Returns the state for a Gpu. The first call makes it. */
  of({ states }: Gpu): State {
    let state = states.get(this) as State | undefined;
    if (state === undefined) {
      state = this.initial();
      states.set(this, state);
    }
    return state;
  }
}

/** @internal Throws unless it is a Gpu that is neither lost nor disposed. */
export function checkGpu(who: string, gpu: Gpu): void {
  if (!gpu?.device)
    throw new TypeError(
      `${who}: gpu is ${(gpu as object | undefined)?.constructor.name}; await createGpu() and pass it first`,
    );
  gpu.device.check(who);
}

/** @internal Opens a device for `createGpu`, which has checked the options. */
export async function openGpu(options: DeviceOptions): Promise<Gpu> {
  const device = options.device
    ? adoptDevice(options.device as GPUDevice)
    : await requestDevice(await webgpu(options.features), options);
  const gpu = new Gpu(device, options);
  if (gpu.kind === 'gpu') await device.findFewLanes();
  return gpu;
}
