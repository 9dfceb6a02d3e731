import { backward, zeroGrad } from '../../src/autograd.ts';
import { type CapturedStep, capture } from '../../src/capture.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { percentOfPeak } from '../../src/profile/report.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import type { Case } from './case.ts';
import { type Input, uniform } from './inputs.ts';
import { failedRow, type Row } from './row.ts';
import type { Session } from './session.ts';
import { times } from './statistics.ts';
import { mismatch, type Numbers } from './verify.ts';

/** Kernels that one op runs, with what they must compute. */
export interface KernelCase<Inputs extends Record<string, Input>> {
  bench: string;
  shape: string;
  inputs: () => Inputs;
  /** What is captured, verified and timed; where an input wants its gradient, `backward` from the first result is. */
  run: (inputs: Record<keyof Inputs, Tensor>, gpu: Gpu) => readonly Tensor[];
  /** In double precision: what `run` returns, or the wanted gradients in the order of the inputs. */
  truth: (inputs: Inputs, dy: Float32Array) => readonly Numbers[];
  /** Allowed error, as a part of the largest number of each result; 1e-5 by default. */
  tolerance?: number;
  /** Multiplications and additions, where they are what counts. */
  flops?: number;
  /** Bytes that must be read or written at least: all inputs, dy and results by default. */
  bytes?: number;
  /** A name in place of the kernels' own. */
  kernel?: string;
}

/** A case of captured kernels, timed by the GPU's clock. */
export function kernelCase<Inputs extends Record<string, Input>>(spec: KernelCase<Inputs>): Case {
  const { bench, shape } = spec;
  return { bench, shape, measure: (session) => measure(spec, session) };
}

/** The results are compared first, all of them, in the buffers that are timed: a wrong one shows no time. */
async function measure<Inputs extends Record<string, Input>>(spec: KernelCase<Inputs>, session: Session): Promise<Row> {
  const { bench, shape, tolerance = 1e-5, flops = 0 } = spec;
  const host = spec.inputs();
  const work = await prepare(spec, host, session.gpu);
  try {
    const { step, results, dy } = work;
    const head = { bench, shape, peer: 'padagrad', kernel: spec.kernel ?? kernelsOf(step) };
    step.run();
    const truths = spec.truth(host, dy);
    const moved = [...Object.values(host).map(({ data }) => data), dy, ...truths];
    const { bytes = 4 * moved.reduce((sum, { length }) => sum + length, 0) } = spec;
    const problem = await compare(results, truths, tolerance);
    if (problem) return failedRow(head, problem);
    const measured = times(await session.warm(step));
    const coldMs = 1e3 * (await session.cold(step));
    const seconds = measured.medianMs / 1e3;
    return {
      ...head,
      ...measured,
      coldMs,
      gflops: flops > 0 ? flops / seconds / 1e9 : null,
      gbps: bytes / seconds / 1e9,
      percentOfPeak: percentOfPeak({ flops, bytes, seconds }, session.peaks),
      verified: true,
    };
  } finally {
    work.dispose();
  }
}

interface Work {
  step: CapturedStep<unknown>;
  results: readonly Tensor[];
  dy: Float32Array;
  dispose(): void;
}

async function prepare<Inputs extends Record<string, Input>>(
  { run }: KernelCase<Inputs>,
  host: Inputs,
  gpu: Gpu,
): Promise<Work> {
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(thing: T): T => {
    owned.unshift(thing);
    return thing;
  };
  const dispose = () => {
    for (const thing of owned) thing.dispose();
  };
  try {
    const inputs = {} as Record<keyof Inputs, Tensor>;
    for (const [name, { data, shape, wanted = false }] of Object.entries(host)) {
      inputs[name as keyof Inputs] = own(tensor(gpu, data, shape, name));
      inputs[name as keyof Inputs].requiresGrad = wanted;
    }
    const wanted = Object.values<Tensor>(inputs).filter((x) => x.requiresGrad);
    if (wanted.length === 0) {
      const step = own(await capture(gpu, () => run(inputs, gpu)));
      for (const result of step.result) own(result);
      return { step, results: step.result, dy: new Float32Array(0), dispose };
    }
    const y = own(run(inputs, gpu)[0]!);
    const dy = uniform(y.shape, { seed: 99 }).data;
    const upstream = own(tensor(gpu, dy, y.shape, 'dy'));
    const step = own(await capture(gpu, () => backward(y, upstream)));
    own({ dispose: () => zeroGrad(wanted) });
    return { step, results: wanted.map((x) => x.grad!), dy, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function compare(
  results: readonly Tensor[],
  truths: readonly Numbers[],
  tolerance: number,
): Promise<string | null> {
  if (results.length !== truths.length) return `${results.length} results, expected ${truths.length}`;
  for (const [i, result] of results.entries()) {
    const values = result.dtype === 'u32' ? await result.readU32() : await result.read();
    const problem = mismatch(values, truths[i]!, tolerance);
    if (problem) return results.length > 1 ? `result ${i}: ${problem}` : problem;
  }
  return null;
}

/** The kernels of a step in their order, each once; matrix products with the family that computes them. */
export function kernelsOf({ gpu, commands }: CapturedStep<unknown>): string {
  const labels = commands.dispatches.map(({ label }) =>
    label.endsWith('.product') ? `${label} (${gpu.gemmFamily})` : label,
  );
  return [...new Set(labels)].join(' + ');
}
