import { GpuError } from './errors.ts';
import type { Native } from './native.ts';
import type { WgslModule } from './wgsl.ts';

/** Options of a device: those of `createGpu` that do not concern GEMM kernels. */
export interface DeviceOptions {
  /** A `GPUDevice` of the caller's, used as it is and not destroyed by `gpu.dispose()`. */
  device?: Native<'GPUDevice'>;
  /** Whether an adapter that runs on the CPU will do: `allow` (default), `refuse`, or `require` (for tests). */
  software?: 'allow' | 'refuse' | 'require';
  /** Warn of tensors that were garbage-collected before they were disposed. */
  validate?: boolean;
  /** `default` keeps the limits of WebGPU's specification even if the adapter offers more (to test portability). */
  limits?: 'adapter' | 'default';
  /** `false` leaves subgroups unused even if the adapter offers them. */
  subgroups?: boolean;
  /** Chooses kernels as for a CPU that plays the GPU, or as for a real GPU. Default: what the adapter is. */
  kind?: GpuKind;
  /** Further features of WebGPU, by name, asked for where the adapter offers them: for kernels of your own, or `SUBGROUP_MATRICES` of `padagrad/precision`. */
  features?: readonly string[];
}

/** What runs the kernels: a CPU that plays the GPU (lavapipe, SwiftShader, WARP), or a real GPU. */
export type GpuKind = 'cpu' | 'gpu';

/** What the adapter says of itself, as far as it does (Safari may say nothing). */
export interface AdapterInfo {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** True where the CPU plays the GPU (lavapipe, SwiftShader, WARP): right results, no speed. */
  software: boolean;
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render|warp\b/i;

/** @internal A GPU device with what its adapter said, and the first thing that went wrong on it. */
export class Device {
  readonly limits: Record<string, number>;
  readonly features: ReadonlySet<string>;
  /** The fixed number of lanes of a subgroup; 0 where subgroups are missing or vary in size. */
  readonly subgroupSize: number;
  /** Compiled modules: one serves all entry points and constants of a kernel. */
  readonly shaders = new WeakMap<WgslModule, GPUShaderModule>();
  private failure: GpuError | undefined;
  private readonly checks = new Set<Promise<unknown>>();
  private disposed = false;
  private readonly onError = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    this.fail(describe(event.error));
  };

  constructor(
    readonly handle: Native<'GPUDevice'>,
    readonly info: AdapterInfo,
    readonly shared: boolean,
    /** The adapter's own words. */
    readonly said: Partial<GPUAdapterInfo> = {},
  ) {
    const { subgroupMinSize: least = 0, subgroupMaxSize: most = -1 } = said;
    this.limits = readLimits(handle.limits);
    this.features = new Set(handle.features as Iterable<string>);
    this.subgroupSize = this.features.has('subgroups') && least === most ? least : 0;
    handle.addEventListener('uncapturederror', this.onError);
    handle.lost.then((lost) => {
      if (lost.reason !== 'destroyed' || !this.disposed) this.lose(lost.message);
    });
  }

  /** Keeps the first failure for the next read to throw. A kernel that does not compile, or memory that is not there, explains what follows from it. */
  fail(error: GpuError): void {
    const explains = error.code === 'KERNEL' || error.code === 'GPU_OUT_OF_MEMORY';
    if (!this.failure || (explains && this.failure.code === 'GPU_VALIDATION')) this.failure = error;
  }

  /** Does something whose errors of one kind are known later: then the next read throws what `explained` makes of the first. */
  scoped<T>(
    filter: GPUErrorFilter,
    work: () => T,
    explained: (error: GPUError) => GpuError | Promise<GpuError> = describe,
  ): T {
    this.handle.pushErrorScope(filter);
    try {
      return work();
    } finally {
      // Of a lost device there is no answer.
      const answer = this.handle.popErrorScope().catch(() => null);
      const check = answer
        .then(async (error) => error && this.fail(await explained(error)))
        .finally(() => this.checks.delete(check));
      this.checks.add(check);
    }
  }

  /** A buffer. That there was no memory for it is known later: then `refused` is called, and the next read throws. */
  allocate(wanted: GPUBufferDescriptor & { label: string }, beside = '', refused?: () => void): GPUBuffer {
    const refusal = (cause?: unknown) =>
      new GpuError(
        'GPU_OUT_OF_MEMORY',
        `${wanted.label}: ${wanted.size} bytes asked for${beside}, but the device has no memory left; use smaller batches`,
        { cause },
      );
    const create = () => {
      try {
        return this.handle.createBuffer(wanted);
      } catch (cause) {
        throw refusal(cause);
      }
    };
    return this.scoped('out-of-memory', create, (error) => {
      refused?.();
      return refusal(error);
    });
  }

  /** Throws if the device is lost or disposed. */
  check(who: string): void {
    if (this.disposed)
      throw new GpuError('GPU_DISPOSED', `${who}: this Gpu was disposed; make another with createGpu()`);
    if (this.isLost) throw this.failure;
  }

  /** Throws the first failure of what was recorded, once; a lost or disposed device throws every time. */
  async settle(who: string): Promise<void> {
    await Promise.all(this.checks);
    this.check(who);
    const failure = this.failure;
    this.failure = undefined;
    if (failure) throw failure;
  }

  /**
   * Throws what a rejection means that WebGPU has for lost devices alone: their loss, which the device itself knows a moment
   * later, or at least that there was no answer.
   */
  async unanswered(who: string, cause: unknown): Promise<never> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await this.settle(who);
    if (cause instanceof GpuError) throw cause;
    const why = (cause as Error).message || 'device lost';
    throw new GpuError('GPU_LOST', `${who}: the GPU did not answer (${why})`, { cause });
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  get isLost(): boolean {
    return this.failure?.code === 'GPU_LOST';
  }

  dispose(): void {
    this.disposed = true;
    // A caller's device lives on, and its errors are the caller's again.
    this.handle.removeEventListener('uncapturederror', this.onError);
    if (!this.shared) this.handle.destroy();
  }

  private lose(message: string): void {
    this.failure = new GpuError(
      'GPU_LOST',
      `the GPU device was lost${message ? `: ${message}` : ''}; its tensors are gone: make another with createGpu()`,
    );
  }
}

/** @internal Asks WebGPU for an adapter and a device with the adapter's limits and the features the kernels can use. */
export async function requestDevice(gpu: GPU, options: DeviceOptions): Promise<Device> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter || adapter.info?.device === 'null-backend') {
    throw new GpuError(
      'NO_ADAPTER',
      'createGpu: no adapter was found; install a GPU driver, or Mesa lavapipe for a software one (`padagrad doctor` says how)',
    );
  }
  const info = adapterInfo(adapter.info);
  if (options.software === (info.software ? 'refuse' : 'require')) {
    const kind = info.software ? 'software' : 'hardware';
    throw new GpuError(
      'NO_ADAPTER',
      `createGpu: software: '${options.software}' was asked for, but the adapter is ${kind} (${info.description || info.device})`,
    );
  }
  const wanted = [
    'shader-f16',
    'timestamp-query',
    options.subgroups !== false && 'subgroups',
    ...(options.features ?? []),
  ];
  const requiredFeatures = wanted.filter((feature) => feature && adapter.features.has(feature)) as GPUFeatureName[];
  // These as high as they go; the rest stays at the default.
  const requiredLimits = options.limits === 'default' ? {} : readLimits(adapter.limits, SIZES);
  const handle = await adapter.requestDevice({ label: 'padagrad', requiredFeatures, requiredLimits });
  return new Device(handle, info, false, adapter.info);
}

/** @internal A device of the caller's, as it is. */
export function adoptDevice(handle: GPUDevice): Device {
  const info = (handle as { adapterInfo?: GPUAdapterInfo }).adapterInfo;
  return new Device(handle, adapterInfo(info), true, info);
}

function adapterInfo(info: GPUAdapterInfo | undefined): AdapterInfo {
  const { vendor = '', architecture = '', device = '', description = '' } = info ?? {};
  const software =
    info?.isFallbackAdapter === true || SOFTWARE.test(`${vendor} ${architecture} ${device} ${description}`);
  return { vendor, architecture, device, description, software };
}

// Sizes of buffers, of workgroups and of their memory.
const SIZES = /^max(Buffer|StorageBuffer(Binding|sPerShader)|Compute(Invocations|WorkgroupS))/;

function readLimits(limits: GPUSupportedLimits, names = /./): Record<string, number> {
  const result: Record<string, number> = {};
  for (const name in limits) {
    const value = (limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number' && names.test(name)) result[name] = value;
  }
  return result;
}

function describe(error: GPUError): GpuError {
  const outOfMemory = error.constructor.name === 'GPUOutOfMemoryError';
  return new GpuError(outOfMemory ? 'GPU_OUT_OF_MEMORY' : 'GPU_VALIDATION', error.message);
}
