// A bench of one op's kernels: opens them on a Gpu with their inputs, compares every element of the results with float64, and then times
// them.
import { backward, zeroGrad } from '../../src/autograd.ts';
import { type CapturedStep, capture } from '../../src/capture.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import { percentOfPeak } from '../../src/debug/profile.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Shape } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { type Input, uniform } from './inputs.ts';
import type { Row } from './row.ts';
import { times } from './session.ts';
import { mismatch, type Numbers, toleranceOn } from './verify.ts';

/** Kernels of one op, with their inputs and expected results. */
export interface KernelCase<Inputs extends Record<string, Input>> {
  bench: string;
  shape: string;
  inputs: () => Inputs;
  /** Captured, verified and timed. If an input wants its gradient, `backward` from the first result is timed instead. */
  run: (inputs: Record<keyof Inputs, Tensor>, gpu: Gpu) => readonly Tensor[];
  /** In double precision: the results of `run`, or the wanted gradients in the order of the inputs. */
  truth: (inputs: Inputs, dy: Float32Array) => readonly Numbers[];
  /** The gradient of the first result. Default: random numbers. */
  dy?: (shape: Shape) => Float32Array;
  /** Allowed error relative to the largest element of each result. Default: 1e-5. */
  tolerance?: number;
  /** Multiplications and additions, if they limit the speed. */
  flops?: number;
  /** Bytes that must be read or written; by default all inputs, dy and all results. */
  bytes?: number;
  /** The name of the kernel. Default: the labels of the dispatches. */
  kernel?: string;
}

/** A case on a Gpu: its kernels captured with their inputs, and the expected results. */
export class OpenCase {
  private constructor(
    private readonly spec: KernelCase<Record<string, Input>>,
    private readonly host: Record<string, Input>,
    private readonly dy: Float32Array,
    /** The captured kernels, which are verified and timed. */
    readonly step: CapturedStep<unknown>,
    /** The results of a run by name: `y`, or the gradients, as in `dx`. */
    readonly results: ReadonlyMap<string, Tensor>,
    private readonly owned: { dispose(): void }[],
    private known: readonly Numbers[] | undefined,
  ) {}

  /** `truths` are the expected results if they are known from an earlier opening. */
  static async open(spec: KernelCase<Record<string, Input>>, gpu: Gpu, truths?: readonly Numbers[]): Promise<OpenCase> {
    const owned: { dispose(): void }[] = [];
    const own = <T extends { dispose(): void }>(thing: T): T => {
      owned.unshift(thing);
      return thing;
    };
    try {
      const host = spec.inputs();
      const inputs: Record<string, Tensor> = {};
      for (const [name, { data, shape, wanted = false }] of Object.entries(host)) {
        inputs[name] = own(tensor(gpu, data, shape, name));
        inputs[name].requiresGrad = wanted;
      }
      const wanted = Object.entries(inputs).filter(([, x]) => x.requiresGrad);
      if (wanted.length === 0) {
        const step = own(await capture(gpu, () => spec.run(inputs, gpu)));
        const results = step.result.map((result, i): [string, Tensor] => [i === 0 ? 'y' : `y${i + 1}`, own(result)]);
        return new OpenCase(spec, host, new Float32Array(0), step, new Map(results), owned, truths);
      }
      const y = spec.run(inputs, gpu).map(own)[0]!;
      const dy = spec.dy?.(y.shape) ?? uniform(y.shape, { seed: 99 }).data;
      const upstream = own(tensor(gpu, dy, y.shape, 'dy'));
      const leaves = wanted.map(([, x]) => x);
      const step = own(
        await capture(gpu, () => {
          zeroGrad(leaves);
          backward(y, upstream);
          return leaves.map((x) => x.grad!);
        }),
      );
      own({ dispose: () => zeroGrad(leaves) });
      const results = step.result.map((dx, i): [string, Tensor] => [`d${wanted[i]![0]}`, dx]);
      return new OpenCase(spec, host, dy, step, new Map(results), owned, truths);
    } catch (error) {
      for (const thing of owned) thing.dispose();
      throw error;
    }
  }

  /** The names of the kernels in order, each once; GEMM kernels with their family. */
  get kernel(): string {
    const { gpu, commands } = this.step;
    const labels = commands.dispatches.map(({ label }) =>
      label.endsWith('.gemm') ? `${label} (${gemmFamily(gpu)})` : label,
    );
    return this.spec.kernel ?? [...new Set(labels)].join(' + ');
  }

  /** The expected results in double precision. */
  get truths(): readonly Numbers[] {
    this.known ??= this.spec.truth(this.host, this.dy);
    return this.known;
  }

  /** The allowed error relative to the largest element of a result. */
  get tolerance(): number {
    return toleranceOn(this.step.gpu, this.spec.tolerance ?? 1e-5);
  }

  /** Multiplications and additions (0 if they do not limit the speed), and the bytes that must be moved. */
  get work(): { flops: number; bytes: number } {
    const moved = () => [...Object.values(this.host).map(({ data }) => data), this.dy, ...this.truths];
    const { flops = 0, bytes = 4 * moved().reduce((sum, { length }) => sum + length, 0) } = this.spec;
    return { flops, bytes };
  }

  /** Compares the results of the latest run, in the buffers that are timed; returns what is wrong, or null. */
  async problem(): Promise<string | null> {
    const { results, truths, tolerance } = this;
    if (results.size !== truths.length) return `${results.size} results, expected ${truths.length}`;
    for (const [i, result] of [...results.values()].entries()) {
      const problem = mismatch(await valuesOf(result), truths[i]!, tolerance);
      if (problem) return results.size > 1 ? `result ${i}: ${problem}` : problem;
    }
    return null;
  }

  /** Returns the row of a verified case. */
  row(warm: readonly number[], cold: number | null, peaks: Peaks | null): Row {
    const { bench, shape } = this.spec;
    const measured = times(warm);
    const seconds = measured.medianMs / 1e3;
    const { flops, bytes } = this.work;
    return {
      ...{ bench, shape, peer: 'padagrad', kernel: this.kernel },
      ...measured,
      coldMs: cold === null ? null : 1e3 * cold,
      gflops: flops > 0 ? flops / seconds / 1e9 : null,
      gbps: bytes / seconds / 1e9,
      percentOfPeak: percentOfPeak({ flops, bytes, seconds }, peaks),
      verified: true,
    };
  }

  /** Disposes of `thing` too, at the end. */
  own(thing: { dispose(): void }): void {
    this.owned.push(thing);
  }

  dispose(): void {
    for (const thing of this.owned) thing.dispose();
  }
}

/** Reads the elements of a result. */
export const valuesOf = (result: Tensor): Promise<Numbers> =>
  result.dtype === 'u32' ? result.readU32() : result.read();
