// `capture` calls a function once and records its dispatches. A run encodes these dispatches again without calling the function,
// so it is fast, and its results are bit-identical to a call. Everything else that the function read or changed on the host
// (gradients, versions, counters, modes) is held by the replays of gpu/recording.ts. A run that would differ from a call throws.
import { refusedNode } from './autograd.ts';
import { CommandList } from './gpu/commandList.ts';
import type { Compile } from './gpu/compilation.ts';
import { Disposable } from './gpu/dispose.ts';
import { GpuError } from './gpu/errors.ts';
import { checkGpu, type Gpu } from './gpu/gpu.ts';
import type { Dispatch, HostReplay, Refreshable } from './gpu/recording.ts';
import type { Storage } from './gpu/storage.ts';
import { Tensor } from './tensor.ts';
import { keep, refusePromise, refuseUncallable, type Sync, tidy } from './tidy.ts';

/** The recorded dispatches of one call of a function. A run computes no shapes, allocates nothing and makes no bind group. */
export class CapturedStep<T> extends Disposable {
  private recorded: Recorded<T> | undefined;
  /** Commands to encode. A step that appears twice in one submit uses the second list the second time, and so on. */
  private readonly lists: CommandList[] = [];
  private runs = 0;
  /** What `result` has returned since the latest run. */
  private given: { result: T; tensors: Tensor[] } | undefined;
  /** Tensors that `result` returned before the first run or inside another capture. */
  private readonly early: Tensor[] = [];
  /** The recorded result, which `result` returns once the step is disposed. */
  private readonly last: T;

  /** @internal */
  constructor(
    readonly gpu: Gpu,
    recorded: Recorded<T>,
  ) {
    super();
    this.recorded = recorded;
    this.last = recorded.result;
    this.list(0);
  }

  /** Number of dispatches per run. */
  get dispatches(): number {
    return this.live('dispatches').dispatches.length;
  }

  /**
   * The captured function's result, with the values of the latest run. The next run overwrites its tensors: read or copy them
   * before, because using them afterwards throws. Tensors that you get before the first run always show the latest run, and
   * throw until there is one. The tensors have no graph, so capture `backward` too. The step frees them.
   */
  get result(): T {
    const { recorded } = this;
    if (!recorded) return this.last;
    if (this.runs === 0 || this.gpu.queue.recording) return this.views(recorded, undefined, this.early);
    if (!this.given) {
      const tensors: Tensor[] = [];
      this.given = { result: this.views(recorded, this.runs, tensors), tensors };
    }
    return this.given.result;
  }

  /**
   * Replays the step with the current values of its `Scalar`s. Returns immediately.
   *
   * @throws Error if the function would now find something else than at the capture, such as a frozen parameter, another mode or
   * a missing gradient
   */
  run(): void {
    runSteps(this);
  }

  /** Frees its buffers and those of its results. Safe to call more than once. */
  dispose(): void {
    const { recorded } = this;
    if (!recorded) return;
    this.recorded = undefined;
    for (const list of this.lists) list.dispose();
    for (const tensor of [...recorded.results, ...this.early, ...(this.given?.tensors ?? [])]) tensor.dispose();
    release(recorded);
  }

  /** @internal */
  get commands(): CommandList {
    return this.list(0);
  }

  /** @internal Checks and prepares the host for a run. */
  begin(flush: () => void): void {
    const { replays } = this.live('run');
    for (const replay of replays) {
      const difference = replay.check?.();
      if (difference) throw new Error(`run: ${difference}; or capture another step`);
    }
    for (const replay of replays) replay.prepare?.(flush);
  }

  /** @internal Leaves the host as a call of the function would leave it. */
  end(): void {
    for (const replay of this.live('run').replays) replay.apply?.();
    this.runs++;
    for (const tensor of this.given?.tensors ?? []) tensor.dispose();
    this.given = undefined;
  }

  private live(what: string): Recorded<T> {
    if (!this.recorded) throw new Error(`${what}: this captured step was disposed; capture it again`);
    return this.recorded;
  }

  /** @internal Returns the commands for an appearance of the step in one submit. Each has its own params. */
  list(appearance: number): CommandList {
    const { dispatches, readings } = this.live('run');
    this.lists[appearance] ??= new CommandList(
      this.gpu.device,
      dispatches,
      readings,
      this.gpu.params.take(dispatches.length),
    );
    return this.lists[appearance]!;
  }

  /** Returns the result; every tensor that the function made is replaced by a view that checks `run`, or any run if undefined. */
  private views({ result, results }: Recorded<T>, run: number | undefined, made: Tensor[]): T {
    const viewOf = (tensor: Tensor): Tensor => {
      const view = keep(tensor.view());
      view.onUse = () => {
        const { recording } = this.gpu.queue;
        if (!recording) this.checkUse(tensor.label, run);
        else recording.expect(`result ${run}`, tensor, () => this.whyNot(tensor.label, run));
      };
      if (tensor.requiresGrad) {
        view.requiresGrad = true;
        view.node = refusedNode(view, REFUSED);
      }
      made.push(view);
      return view;
    };
    return mapTensors(result, (tensor) => (results.includes(tensor) ? viewOf(tensor) : tensor)) as T;
  }

  private checkUse(name: string, run: number | undefined): void {
    const fault = this.whyNot(name, run);
    if (fault) throw new GpuError('CAPTURE', fault);
  }

  private whyNot(name: string, run: number | undefined): string | undefined {
    if (this.runs === 0) return `${name} is the result of a captured step that has not run yet; call run() first`;
    if (run === undefined || run === this.runs) return undefined;
    return `${name} is the result of run ${run} of a captured step, and run ${this.runs} has overwritten it; read it, or copy it with an op, before the next run`;
  }
}

const REFUSED =
  'it was computed by a captured step, which keeps no graph; call backward inside the captured function, or detach() the result';

/**
 * Records the dispatches that `fn` makes, without running them, and compiles their pipelines in parallel. Running the step then
 * gives the same bits as calling `fn`, or throws. The host is afterwards as it was before.
 *
 * `fn` must be synchronous. It runs inside a `tidy`: memory that it frees is reused by its later dispatches, and its result stays.
 * Anything that a run cannot repeat throws: reading or writing tensors, making tensors from host data, drawing random numbers on
 * the host, setting a {@link Scalar}. Pass numbers that change as `Scalar`s; change data between runs with `write`.
 */
export function capture<T>(gpu: Gpu, fn: () => Sync<T>): Promise<CapturedStep<T>> {
  // Thrown synchronously: a rejected promise inside the captured function could not be caught.
  gpu?.queue?.refuseInCapture('another capture');
  return captureAll(gpu, [fn as () => T]).then(([step]) => step!);
}

/**
 * @internal
 * Captures each function as {@link capture} does. All are called before this returns, and then compiled together.
 *
 * @param compile compiles their kernels. Default: all of them at once.
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
      throw new GpuError('CAPTURE', 'capture: nothing was recorded; pass the Gpu that the function computes on');
    await compile(recorded.flatMap(({ dispatches }) => dispatches));
    return recorded.map((each) => new CapturedStep(gpu, each));
  } catch (error) {
    for (const each of recorded) release(each);
    throw error;
  }
}

/** @internal Compiles the dispatches that wait to be submitted, in the background, so that the submit does not block. */
export const compilePending = ({ queue }: Gpu): Promise<unknown> => compileAll(queue.pending);

const compileAll: Compile = (dispatches) => Promise.all(dispatches.map(({ pipeline }) => pipeline.compile()));

/** @internal Calls `fn` and discards what it recorded: nothing is compiled, and nothing runs. */
export function dryRun(gpu: Gpu, fn: () => void): void {
  release(recordDispatches(gpu, fn));
}

/** The record of one call of a function. */
interface Recorded<T> {
  result: T;
  /** The tensors of `result` that the function made. */
  results: readonly Tensor[];
  dispatches: readonly Dispatch[];
  readings: readonly Refreshable[];
  replays: readonly HostReplay[];
  held: readonly Storage[];
}

function recordDispatches<T>(gpu: Gpu, fn: () => T): Recorded<T> {
  checkGpu('capture', gpu);
  refuseUncallable('capture', fn, 'capture(gpu, () => ...)');
  const recording = gpu.queue.beginCapture();
  gpu.pool.beginCapture();
  const { dispatches, readings } = recording;
  const results: Tensor[] = [];
  const record = (): T => {
    const made = fn();
    refusePromise('capture', made, recording.refused);
    if (recording.refused) throw recording.refused;
    mapTensors(made, (tensor) => {
      if (tensor.madeIn === recording) results.push(keep(tensor));
      return tensor;
    });
    return made;
  };
  try {
    const result = tidy(record as () => never) as T;
    for (const tensor of results) tensor.node = null;
    gpu.queue.endCapture();
    const replays = recording.finish();
    return { result, results, dispatches, readings, replays, held: gpu.pool.endCapture() };
  } catch (error) {
    gpu.queue.endCapture();
    for (const replay of recording.finish()) replay.dispose?.();
    for (const tensor of results) tensor.dispose();
    for (const storage of gpu.pool.endCapture()) storage.release();
    // An asynchronous function hides the refusal in its promise.
    throw recording.refused ?? error;
  }
}

/** Runs captured steps one after the other in one submit. Throws if one of them would differ from a call of its function. */
export function runSteps(...steps: readonly CapturedStep<unknown>[]): void {
  const wrong = steps.find((step) => !(step instanceof CapturedStep));
  if (wrong !== undefined)
    throw new TypeError('runSteps: every argument must be a captured step; call runSteps(first, second)');
  if (steps.length === 0) return;
  const { gpu } = steps[0]!;
  gpu.device.check('run');
  gpu.queue.refuseInCapture('a run of a captured step');
  if (steps.some((step) => step.gpu !== gpu))
    throw new TypeError('runSteps: the steps must be of one Gpu; run each by itself');
  let lists: CommandList[] = [];
  let appearances = new Map<unknown, number>();
  const flush = (): void => {
    if (lists.length > 0) gpu.queue.submit(lists);
    lists = [];
    appearances = new Map();
  };
  try {
    for (const step of steps) {
      step.begin(flush);
      const appearance = appearances.get(step) ?? 0;
      lists.push(step.list(appearance));
      appearances.set(step, appearance + 1);
      step.end();
    }
  } finally {
    // If a step throws, the steps before it still run.
    flush();
  }
}

/** Returns a value with its tensors replaced, also inside arrays and plain objects. */
function mapTensors(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return replace(value);
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, replace));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTensors(item, replace)]));
}

function release({ held, replays }: Recorded<unknown>): void {
  for (const replay of replays) replay.dispose?.();
  for (const storage of held) storage.release();
}
