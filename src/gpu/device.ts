// The WebGPU device with its limits and features, opened with what the adapter offers. WebGPU reports errors late, without the call
// that caused them; this file keeps the first one, and the next read throws it.
import trial from '../../shaders/lanes.wgsl';
import { GpuError } from './errors.ts';
import type { Native } from './native.ts';
import { withLanes } from './wgsl.ts';

/** @internal The WebGPU feature with which a kernel can ask for a number of lanes. */
export const SUBGROUP_SIZE_CONTROL = 'subgroup-size-control';

/** @internal Lanes with which an invocation on Intel's GPUs has the most registers, twice as many as with the 16 that Dawn asks for. */
export const FEW_LANES = 8;

/** The adapter's description of itself. Fields that the browser leaves out are empty. */
export interface AdapterInfo {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** True if the adapter runs on the CPU (lavapipe, SwiftShader, WARP): correct but slow. */
  software: boolean;
}

/** @internal A GPU device with its adapter's description, and the first error that happened on it. */
export class Device {
  readonly limits: Record<string, number>;
  readonly features: ReadonlySet<string>;
  /** Lanes of a subgroup; 0 if the device has no subgroups, or subgroups of several sizes. */
  readonly subgroupSize: number;
  /** The fewest lanes that a subgroup may have; 0 if the device has no subgroups. */
  readonly subgroupMinSize: number;
  /** The lanes that a kernel must ask for if it counts on them and they vary from kernel to kernel; else undefined. */
  readonly askedLanes: number | undefined;
  /** Lanes of a subgroup in such a kernel; 0 if it can count on none. */
  readonly lanes: number;
  /** Whether kernels can ask for {@link FEW_LANES}; `findFewLanes` finds out. */
  takesFewLanes = false;
  /** Compiled modules. One serves all entry points and constants of a kernel. */
  readonly shaders = new Map<string, GPUShaderModule>();
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
    /** The adapter's description as WebGPU gave it. */
    readonly rawInfo: Partial<GPUAdapterInfo> = {},
  ) {
    const { subgroupMinSize: least = 0, subgroupMaxSize: most = -1 } = rawInfo;
    this.limits = readLimits(handle.limits);
    this.features = new Set(handle.features as Iterable<string>);
    this.subgroupMinSize = this.features.has('subgroups') ? least : 0;
    this.subgroupSize = least === most ? this.subgroupMinSize : 0;
    // With less than 16 lanes, a GPU of Intel's holds only half as many invocations.
    const canAsk = this.features.has(SUBGROUP_SIZE_CONTROL) && least < most;
    this.askedLanes = canAsk ? Math.min(most, Math.max(least, 16)) : undefined;
    this.lanes = this.askedLanes ?? this.subgroupSize;
    handle.addEventListener('uncapturederror', this.onError);
    handle.lost.then((lost) => {
      if (lost.reason !== 'destroyed' || !this.disposed) this.lose(lost.message);
    });
  }

  /** Compiles a kernel that does nothing and asks for 8 lanes: Direct3D lists them for GPUs of Intel's that refuse them. */
  async findFewLanes(): Promise<void> {
    if (!this.features.has(SUBGROUP_SIZE_CONTROL) || this.subgroupMinSize > FEW_LANES) return;
    const module = this.handle.createShaderModule({ code: withLanes(trial, 'main', FEW_LANES) });
    try {
      await this.handle.createComputePipelineAsync({ layout: 'auto', compute: { module } });
      this.takesFewLanes = true;
    } catch {}
  }

  /** Keeps the first error for the next read to throw. A kernel that does not compile, or missing memory, explains later errors. */
  fail(error: GpuError): void {
    const explains = error.code === 'KERNEL' || error.code === 'GPU_OUT_OF_MEMORY';
    if (!this.failure || (explains && this.failure.code === 'GPU_VALIDATION')) this.failure = error;
  }

  /** Does work whose errors of one kind arrive later. The next read throws what `explained` makes of the first of them. */
  scoped<T>(
    filter: GPUErrorFilter,
    work: () => T,
    explained: (error: GPUError) => GpuError | Promise<GpuError> = describe,
  ): T {
    this.handle.pushErrorScope(filter);
    try {
      return work();
    } finally {
      // A lost device gives no answer.
      const answer = this.handle.popErrorScope().catch(() => null);
      const check = answer
        .then(async (error) => error && this.fail(await explained(error)))
        .finally(() => this.checks.delete(check));
      this.checks.add(check);
    }
  }

  /**
   * Makes a buffer. If the device has no memory for it, that is known only later: then `refused` is called, and the next read
   * throws. `inUse` is the number of bytes in use, for the message.
   */
  allocate(wanted: GPUBufferDescriptor & { label: string }, inUse?: number, refused?: () => void): GPUBuffer {
    const used = inUse === undefined ? '' : ` with ${inUse} bytes in use`;
    const refusal = (cause?: unknown) =>
      new GpuError(
        'GPU_OUT_OF_MEMORY',
        `${wanted.label}: cannot allocate ${wanted.size} bytes${used}: the GPU is out of memory; use smaller batches`,
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

  /** Throws the first error of the recorded work, once. A lost or disposed device throws every time. */
  async settle(who: string): Promise<void> {
    await Promise.all(this.checks);
    this.check(who);
    const failure = this.failure;
    this.failure = undefined;
    if (failure) throw failure;
  }

  /**
   * Throws the reason of a rejection that only a lost device causes. The device itself learns of its loss a moment later; if it
   * does not, the error says that there was no answer.
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

/** The limits that decide which kernels and sizes a device can run. */
export const KERNEL_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** @internal Returns limits as a plain object: all of them, or those whose names match. */
export function readLimits(limits: GPUSupportedLimits, names = /./): Record<string, number> {
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
