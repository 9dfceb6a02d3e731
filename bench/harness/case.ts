// A case gives one row of the bench: it is opened on a Gpu, verified, and only then timed.
import type { GemmFamily } from '../../src/gemm/variants.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Input } from './inputs.ts';
import { type KernelCase, OpenCase } from './openCase.ts';
import { failedRow, type Row } from './row.ts';
import type { Session } from './session.ts';
import type { Numbers } from './verify.ts';

export interface Case {
  bench: string;
  shape: string;
  /** The name of a rung of a ladder, or of the one kernel that is measured. */
  kernel?: string;
  measure(session: Session): Promise<Row>;
  /** Opens the captured kernels on any Gpu, to inspect them; whole steps have none. `truths` are those of an earlier opening. */
  open?(gpu: Gpu, truths?: readonly Numbers[]): Promise<OpenCase>;
}

/** Decides on the sizes: `quick` runs and software adapters measure only small ones. */
export interface Scale {
  quick: boolean;
  software: boolean;
  /** The family of GEMM kernels in use. */
  gemmFamily: GemmFamily;
  /** 0 if subgroups are not used. */
  subgroupSize: number;
}

/** The export of a bench file: its cases, the smallest first. */
export type Bench = (scale: Scale) => readonly Case[];

/** Makes a case of captured kernels, timed by the GPU's clock. */
export function kernelCase<Inputs extends Record<string, Input>>(spec: KernelCase<Inputs>): Case {
  const { bench, shape, kernel } = spec;
  // `run` and `truth` are called only with what the spec's own `inputs` returned.
  const open = (gpu: Gpu, truths?: readonly Numbers[]) =>
    OpenCase.open(spec as unknown as KernelCase<Record<string, Input>>, gpu, truths);
  return {
    bench,
    shape,
    ...(kernel && { kernel }),
    open,
    measure: (session) => measure({ bench, shape }, open, session),
  };
}

/** Compares all results, in the buffers that are timed; a row with a wrong result shows no time. */
async function measure(
  head: { bench: string; shape: string },
  open: (gpu: Gpu) => Promise<OpenCase>,
  session: Session,
): Promise<Row> {
  const opened = await open(session.gpu);
  try {
    opened.step.run();
    const problem = await opened.problem();
    if (problem) return failedRow({ ...head, peer: 'padagrad', kernel: opened.kernel }, problem);
    const cold = () => session.timer.run(opened.step.commands, 1);
    return opened.row(await session.warm(opened.step), await session.cold(cold), session.peaks);
  } finally {
    opened.dispose();
  }
}
