import { patiently } from '#gpu';
import { bindGroup } from './commandList.ts';
import type { Gpu } from './gpu.ts';
import { BufferUsage, type Native } from './native.ts';
import type { Dispatch } from './recording.ts';

/** Progress of compiling the kernels of a training run. */
export interface CompileProgress {
  compiled: number;
  total: number;
}

/** Follows the compilation of kernels, and stops it. */
export interface CompileWatch {
  signal?: Native<'AbortSignal'> | undefined;
  onCompile?: ((progress: CompileProgress) => void) | undefined;
}

/** @internal Compiles the kernels of recorded dispatches. */
export type Compile = (dispatches: readonly Dispatch[]) => Promise<unknown>;

// A signal can stop only kernels that have not started, so few start at once.
const AT_ONCE = 8;

/**
 * @internal
 * Compiles the kernels of several captures together. A software adapter translates a kernel to machine code when the kernel
 * first runs, and that takes most of the time. There each kernel runs once with 0 workgroups, so that the first step need not
 * wait.
 */
export class Compilation {
  private readonly waiting = new Map<unknown, Dispatch>();
  private finished: Promise<void> | undefined;

  constructor(
    private readonly gpu: Gpu,
    private readonly watch: CompileWatch,
  ) {}

  /** Adds kernels; call it before the caller's first await. Resolves when the kernels of all calls are compiled. */
  readonly compile: Compile = (dispatches) => {
    for (const dispatch of dispatches) if (!dispatch.pipeline.isCompiled) this.waiting.set(dispatch.pipeline, dispatch);
    this.finished ??= Promise.resolve().then(() => this.run());
    return this.finished;
  };

  private async run(): Promise<void> {
    const { signal, onCompile } = this.watch;
    const { info, device } = this.gpu;
    const waiting = [...this.waiting.values()];
    const total = waiting.length;
    let compiled = 0;
    if (total > 0) onCompile?.({ compiled, total });
    // Dawn warns about a constant count of 0, so the count comes from a buffer.
    const none = info.software
      ? device.handle.createBuffer({ label: 'no workgroups', size: 12, usage: BufferUsage.INDIRECT })
      : undefined;
    const next = async (): Promise<void> => {
      for (let dispatch = waiting.shift(); dispatch; dispatch = waiting.shift()) {
        if (signal?.aborted) return;
        await dispatch.pipeline.compile();
        if (none) await this.translate(dispatch, none);
        onCompile?.({ compiled: ++compiled, total });
      }
    };
    const stop = (error: unknown): never => {
      waiting.length = 0;
      throw error;
    };
    // Kernels that have started finish before the caller may dispose of the device.
    const results = await Promise.allSettled(Array.from({ length: none ? 2 : AT_ONCE }, () => next().catch(stop)));
    none?.destroy();
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    if (compiled < total) signal?.throwIfAborted();
  }

  /** Runs a kernel with 0 workgroups. */
  private async translate(dispatch: Dispatch, none: GPUBuffer): Promise<void> {
    const { device, params } = this.gpu;
    const { handle } = device;
    const { chunk, byteOffset } = params.take(1);
    const encoder = handle.createCommandEncoder({ label: 'translate' });
    const pass = encoder.beginComputePass({ label: 'translate' });
    pass.setPipeline(dispatch.pipeline.get());
    pass.setBindGroup(0, bindGroup(device, dispatch, chunk.buffer, byteOffset));
    pass.dispatchWorkgroupsIndirect(none, 0);
    pass.end();
    handle.queue.submit([encoder.finish()]);
    chunk.release();
    try {
      await patiently(handle.queue.onSubmittedWorkDone());
    } catch (cause) {
      await device.unanswered('compile', cause);
    }
  }
}
