import { patiently, webgpu } from '#gpu';
import type { OpWatcher } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks, oneOf } from '../checks/options.ts';
import {
  type AdapterInfo,
  adoptDevice,
  type Device,
  type GemmFamily,
  type GpuOptions,
  type HalfFamily,
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
  /** @internal */ watcher?: OpWatcher | undefined;
  /** @internal */ halfFamily?: HalfFamily | undefined;

  /** @internal */
  constructor(
    /** @internal */ readonly device: Device,
    readonly options: Readonly<GpuOptions>,
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

  /** The family of matrix kernels that suits this adapter, or that `createGpu({gemm})` asked for. */
  get gemmFamily(): GemmFamily {
    if (this.options.gemm) return this.options.gemm;
    if (!this.info.software) return 'workgroup';
    return this.subgroupSize > 0 ? 'subgroup' : 'plain';
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

/** @internal Throws unless it is a Gpu, neither lost nor disposed. */
export function checkGpu(who: string, gpu: Gpu): void {
  if (!gpu?.device)
    throw new TypeError(
      `${who}: gpu is ${(gpu as object | undefined)?.constructor.name}; await createGpu() and pass it first`,
    );
  gpu.device.check(who);
}

const checks: OptionChecks<GpuOptions> = {
  device: {
    wanted: 'a GPUDevice, as `await adapter.requestDevice()` gives',
    holds: (value) => typeof (value as Partial<GPUDevice> | null)?.createBuffer === 'function',
  },
  software: oneOf('allow', 'refuse', 'require'),
  validate: flag,
  limits: oneOf('adapter', 'default'),
  subgroups: flag,
  gemm: oneOf('subgroup', 'workgroup', 'plain'),
  features: {
    wanted: 'an array of names',
    holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  },
};

/**
 * Finds an adapter (Dawn in Node, `navigator.gpu` in a browser) and opens a device on it with the adapter's limits and
 * the features the kernels can use.
 *
 * @throws GpuError `NO_WEBGPU` or `NO_ADAPTER` with what to install or to change
 * @throws TypeError or RangeError for an unknown option, or a value that an option cannot have
 */
export async function createGpu(options: GpuOptions = {}): Promise<Gpu> {
  checkOptions('createGpu', options, checks);
  const device = options.device
    ? adoptDevice(options.device as GPUDevice)
    : await requestDevice(await webgpu(options.features), options);
  return new Gpu(device, options);
}
