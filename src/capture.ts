import { CommandList } from './gpu/commandList.ts';
import type { Compile } from './gpu/compilation.ts';
import { Disposable } from './gpu/dispose.ts';
import { GpuError } from './gpu/errors.ts';
import { checkGpu, type Gpu } from './gpu/gpu.ts';
import type { Dispatch } from './gpu/queue.ts';
import type { Storage } from './gpu/storage.ts';
import { tidy } from './tidy.ts';

/**
 * The dispatches that one call of a function recorded, ready to be encoded again: no shape logic, no allocation, no bind
 * group. Its tensors stay where they are, so what it computed is read from the same tensors after every run.
 */
export class CapturedStep<T> extends Disposable {
  private list: CommandList | undefined;

  /** @internal */
  constructor(
    readonly gpu: Gpu,
    /** What the captured function returned; its tensors hold the latest run's values. */
    readonly result: T,
    dispatches: readonly Dispatch[],
    private readonly held: readonly Storage[],
  ) {
    super();
    this.list = new CommandList(gpu.device, dispatches, gpu.params.take(dispatches.length));
  }

  /** Number of dispatches. */
  get dispatches(): number {
    return this.commands.dispatches.length;
  }

  /** @internal */
  get commands(): CommandList {
    if (!this.list) throw new Error('run: this captured step was disposed; capture it again');
    return this.list;
  }

  /** Does it again, with the present values of its scalars, and returns at once. */
  run(): void {
    this.gpu.device.check('run');
    this.gpu.queue.submit([this.commands]);
  }

  /** Gives its buffers back. Idempotent. */
  dispose(): void {
    if (!this.list) return;
    this.list.dispose();
    this.list = undefined;
    release(this.held);
  }
}

/**
 * Calls `fn` once to record the dispatches it makes, without running them, and compiles their pipelines side by side.
 * `fn` runs inside a `tidy`: what it frees is reused by its own later dispatches, what it returns stays. Reads, writes
 * from the host and anything asynchronous cannot be replayed and throw. Numbers that change are {@link Scalar}s.
 */
export async function capture<T>(gpu: Gpu, fn: () => T): Promise<CapturedStep<T>> {
  return (await captureAll(gpu, [fn]))[0]!;
}

/**
 * @internal
 * {@link capture} of each function: all are called before this returns, and then compiled together.
 *
 * @param compile compiles their kernels; by default all of them at once
 */
export async function captureAll<T>(
  gpu: Gpu,
  fns: Iterable<() => T>,
  compile: Compile = compileAll,
): Promise<CapturedStep<T>[]> {
  const recorded: Recorded<T>[] = [];
  try {
    for (const fn of fns) recorded.push(recordDispatches(gpu, fn));
    if (recorded.some(({ dispatches }) => dispatches.length === 0))
      throw new GpuError('CAPTURE', 'capture: nothing was recorded; give the Gpu that the function computes on');
    await compile(recorded.flatMap(({ dispatches }) => dispatches));
    return recorded.map(({ result, dispatches, held }) => new CapturedStep(gpu, result, dispatches, held));
  } catch (error) {
    for (const { held } of recorded) release(held);
    throw error;
  }
}

/** @internal Compiles in the background what was recorded and waits to be handed over: that blocks nothing then. */
export const compilePending = ({ queue }: Gpu): Promise<unknown> => compileAll(queue.pending);

const compileAll: Compile = (dispatches) => Promise.all(dispatches.map(({ pipeline }) => pipeline.compile()));

/** @internal Calls `fn` and throws away what it recorded: nothing is compiled, and nothing runs. */
export function dryRun(gpu: Gpu, fn: () => void): void {
  release(recordDispatches(gpu, fn).held);
}

interface Recorded<T> {
  result: T;
  dispatches: readonly Dispatch[];
  held: readonly Storage[];
}

function recordDispatches<T>(gpu: Gpu, fn: () => T): Recorded<T> {
  checkGpu('capture', gpu);
  gpu.queue.beginCapture();
  gpu.pool.beginCapture();
  let result: T;
  const unrefused = (): T => {
    const made = fn();
    if (gpu.queue.refused) throw gpu.queue.refused;
    return made;
  };
  try {
    result = tidy(unrefused as () => never) as T;
  } catch (error) {
    gpu.queue.endCapture();
    release(gpu.pool.endCapture());
    // Of what is asynchronous the promise alone knows, and nobody awaits it.
    throw gpu.queue.refused ?? error;
  }
  return { result, dispatches: gpu.queue.endCapture(), held: gpu.pool.endCapture() };
}

/** Runs captured steps one after the other in one submit (and one write of params, where they share a buffer). */
export function runSteps(...steps: readonly CapturedStep<unknown>[]): void {
  const gpu = steps[0]?.gpu;
  gpu?.device.check('run');
  if (steps.some((step) => step.gpu !== gpu))
    throw new TypeError('runSteps: the steps must be of one Gpu; run each by itself');
  gpu?.queue.submit(steps.map((step) => step.commands));
}

function release(storages: readonly Storage[]): void {
  for (const storage of storages) storage.release();
}
