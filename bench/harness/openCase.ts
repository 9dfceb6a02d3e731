import { backward, zeroGrad } from '../../src/autograd.ts';
import { type CapturedStep, capture } from '../../src/capture.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import { percentOfPeak } from '../../src/debug/profile.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { type Input, uniform } from './inputs.ts';
import type { KernelCase } from './kernelCase.ts';
import type { Row } from './row.ts';
import { times } from './statistics.ts';
import { mismatch, type Numbers, toleranceOn } from './verify.ts';

/** The kernels of a case on a Gpu, captured with their inputs, and what must come out of them. */
export class OpenCase {
  private known: readonly Numbers[] | undefined;

  private constructor(
    private readonly spec: KernelCase<Record<string, Input>>,
    private readonly host: Record<string, Input>,
    private readonly dy: Float32Array,
    /** What is verified and timed. */
    readonly step: CapturedStep<unknown>,
    /** Of one run, by name: what the op returns, or the gradients of the inputs that want one. */
    readonly results: ReadonlyMap<string, Tensor>,
    private readonly owned: { dispose(): void }[],
  ) {}

  static async open(spec: KernelCase<Record<string, Input>>, gpu: Gpu): Promise<OpenCase> {
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
        return new OpenCase(spec, host, new Float32Array(0), step, new Map(results), owned);
      }
      const y = spec.run(inputs, gpu).map(own)[0]!;
      const dy = uniform(y.shape, { seed: 99 }).data;
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
      return new OpenCase(spec, host, dy, step, new Map(results), owned);
    } catch (error) {
      for (const thing of owned) thing.dispose();
      throw error;
    }
  }

  /** The kernels in their order, each once; matrix products with the family that computes them. */
  get kernel(): string {
    const { gpu, commands } = this.step;
    const labels = commands.dispatches.map(({ label }) =>
      label.endsWith('.product') ? `${label} (${gemmFamily(gpu)})` : label,
    );
    return this.spec.kernel ?? [...new Set(labels)].join(' + ');
  }

  /** Every result in double precision. */
  get truths(): readonly Numbers[] {
    this.known ??= this.spec.truth(this.host, this.dy);
    return this.known;
  }

  /** How far off a number may be, as a part of the largest of its result. */
  get tolerance(): number {
    return toleranceOn(this.step.gpu, this.spec.tolerance ?? 1e-5);
  }

  /** Multiplications and additions, 0 where they are not what counts, and bytes that must be moved at least. */
  get work(): { flops: number; bytes: number } {
    const moved = () => [...Object.values(this.host).map(({ data }) => data), this.dy, ...this.truths];
    const { flops = 0, bytes = 4 * moved().reduce((sum, { length }) => sum + length, 0) } = this.spec;
    return { flops, bytes };
  }

  /** Compares what the latest run left in the very buffers that are timed: what is wrong, or null. */
  async problem(): Promise<string | null> {
    const { results, truths, tolerance } = this;
    if (results.size !== truths.length) return `${results.size} results, expected ${truths.length}`;
    for (const [i, result] of [...results.values()].entries()) {
      const problem = mismatch(await valuesOf(result), truths[i]!, tolerance);
      if (problem) return results.size > 1 ? `result ${i}: ${problem}` : problem;
    }
    return null;
  }

  /** The row of a case that was found right. */
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

  /** Disposes of something else after all of its own. */
  own(thing: { dispose(): void }): void {
    this.owned.push(thing);
  }

  dispose(): void {
    for (const thing of this.owned) thing.dispose();
  }
}

/** The elements of a result, numbers or integers. */
export const valuesOf = (result: Tensor): Promise<Numbers> =>
  result.dtype === 'u32' ? result.readU32() : result.read();
