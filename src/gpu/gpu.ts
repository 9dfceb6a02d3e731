import { patiently, webgpu } from '#gpu';
import { flag, type OptionChecks, oneOf } from '../checks/options.ts';
import {
  type AdapterInfo,
  adoptDevice,
  type Device,
  type DeviceOptions,
  type GpuKind,
  requestDevice,
} from './device.ts';
import type { Native } from './native.ts';
import { ParamsArena } from './params.ts';
import { type MemoryInfo, Pool } from './pool.ts';
import type { Profile } from './profiler.ts';
import { Queue } from './queue.ts';
import { outsideCapture } from './scalar.ts';

/** A GPU with its memory and its order of work. Every tensor belongs to one. */
export class Gpu {
  /** @internal */ readonly pool: Pool;
  /** @internal */ readonly queue: Queue;
  /** @internal */ readonly params: ParamsArena;
  /** @internal What the layers above keep here, see {@link GpuState}. */ readonly states = new Map<unknown, unknown>();

  /** @internal */
  constructor(
    /** @internal */ readonly device: Device,
    readonly options: Readonly<DeviceOptions>,
  ) {
    this.pool = new Pool(this);
    this.queue = new Queue(device);
    this.params = new ParamsArena(device);
  }

  /** What the adapter says of itself. */
  get info(): Readonly<AdapterInfo> {
    return this.device.info;
  }

  /** The device's limits, by WebGPU's names. */
  get limits(): Readonly<Record<string, number>> {
    return this.device.limits;
  }

  /** The features that the kernels may use. */
  get features(): ReadonlySet<string> {
    return this.device.features;
  }

  /** Lanes of a subgroup, 0 where subgroups cannot be used. */
  get subgroupSize(): number {
    return this.device.subgroupSize;
  }

  /**
   * What kernels are chosen for: `cpu` if the adapter is a CPU that plays the GPU, else `gpu`. `createGpu({ kind })` forces
   * the choice, so that tests run the kernels of GPUs on any adapter.
   */
  get kind(): GpuKind {
    return this.options.kind ?? (this.info.software ? 'cpu' : 'gpu');
  }

  /** The `GPUDevice` underneath. */
  get native(): Native<'GPUDevice'> {
    return this.device.handle;
  }

  /** Buffers and bytes in use, kept for reuse, and at their peak. */
  memory(): MemoryInfo {
    return this.pool.memory();
  }

  /** Resolves when the GPU has done all that was recorded; throws what went wrong meanwhile. */
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
   * Measures every dispatch that `fn` makes, eagerly or by running captured steps, until it returns (or its promise
   * resolves): time, floating-point operations and bytes by kernel. Each dispatch runs alone, so their sum is more than the
   * same work takes by itself. One profile at a time.
   */
  profile(fn: () => unknown): Promise<Profile> {
    return outsideCapture('a profile', () => this.measure(fn));
  }

  private async measure(fn: () => unknown): Promise<Profile> {
    this.device.check('profile');
    // Rarely wanted, so not a part of what every page loads.
    const { Profiler } = await import('./profiler.ts');
    if (this.queue.profiler) throw new Error('profile: another profile is being taken; await it first');
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

  /** Hands recorded work to the GPU now, without waiting for it. */
  submit(): void {
    this.queue.submit();
  }

  /** Frees everything; tensors of this Gpu are gone. A device that the caller brought stays alive. */
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
 * What a layer above keeps for each Gpu. The layer declares one of these and alone knows its type, so gpu/ imports no layer
 * above it, and the state ends with its Gpu.
 */
export class GpuState<State> {
  constructor(private readonly initial: () => State) {}

  /** Returns the state of a Gpu: the initial one at the first call. */
  of({ states }: Gpu): State {
    let state = states.get(this) as State | undefined;
    if (state === undefined) {
      state = this.initial();
      states.set(this, state);
    }
    return state;
  }
}

/** @internal Throws unless it is a Gpu, neither lost nor disposed. */
export function checkGpu(who: string, gpu: Gpu): void {
  if (!gpu?.device)
    throw new TypeError(
      `${who}: gpu is ${(gpu as object | undefined)?.constructor.name}; await createGpu() and pass it first`,
    );
  gpu.device.check(who);
}

/** @internal */
export const deviceChecks: OptionChecks<DeviceOptions> = {
  device: {
    wanted: 'a GPUDevice, as `await adapter.requestDevice()` gives',
    holds: (value) => typeof (value as Partial<GPUDevice> | null)?.createBuffer === 'function',
  },
  software: oneOf('allow', 'refuse', 'require'),
  validate: flag,
  limits: oneOf('adapter', 'default'),
  subgroups: flag,
  kind: oneOf('cpu', 'gpu'),
  features: {
    wanted: 'an array of names',
    holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  },
};

/** @internal Opens a device for `createGpu`, which checks the options. */
export async function openGpu(options: DeviceOptions): Promise<Gpu> {
  const device = options.device
    ? adoptDevice(options.device as GPUDevice)
    : await requestDevice(await webgpu(options.features), options);
  return new Gpu(device, options);
}
