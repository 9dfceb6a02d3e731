import type { GemmFamily } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { OpenCase } from './openCase.ts';
import type { Row } from './row.ts';
import type { Session } from './session.ts';

/** One row to be. */
export interface Case {
  bench: string;
  shape: string;
  /** Which of several that do the same, where it is one of them. */
  kernel?: string;
  measure(session: Session): Promise<Row>;
  /** Kernels can be looked into, on any Gpu; whole steps cannot. */
  open?(gpu: Gpu): Promise<OpenCase>;
}

/** What there is to measure on: on a software adapter, and in a hurry, only small sizes are worth it. */
export interface Scale {
  quick: boolean;
  software: boolean;
  /** The family of matrix kernels in use. */
  gemmFamily: GemmFamily;
  /** 0 where subgroups are not used. */
  subgroupSize: number;
}

/** A file of the bench: its cases, smallest first. */
export type Bench = (scale: Scale) => readonly Case[];
