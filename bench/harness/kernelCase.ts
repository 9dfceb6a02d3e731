import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { Case } from './case.ts';
import type { Input } from './inputs.ts';
import { OpenCase } from './openCase.ts';
import { failedRow, type Row } from './row.ts';
import type { Session } from './session.ts';
import type { Numbers } from './verify.ts';

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
  const { bench, shape, kernel } = spec;
  // It is called with what its own `inputs` gave.
  const open = (gpu: Gpu) => OpenCase.open(spec as unknown as KernelCase<Record<string, Input>>, gpu);
  return { bench, shape, ...(kernel && { kernel }), open, measure: (session) => measure(bench, shape, open, session) };
}

/** The results are compared first, all of them, in the buffers that are timed: a wrong one shows no time. */
async function measure(
  bench: string,
  shape: string,
  open: (gpu: Gpu) => Promise<OpenCase>,
  session: Session,
): Promise<Row> {
  const opened = await open(session.gpu);
  try {
    opened.step.run();
    const problem = await opened.problem();
    if (problem) return failedRow({ bench, shape, peer: 'padagrad', kernel: opened.kernel }, problem);
    const cold = () => session.timer.run(opened.step.commands, 1);
    return opened.row(await session.warm(opened.step), await session.cold(cold), session.peaks);
  } finally {
    opened.dispose();
  }
}
