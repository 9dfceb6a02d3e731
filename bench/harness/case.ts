import type { GemmFamily } from '../../src/gpu/device.ts';
import type { Row } from './row.ts';
import type { Session } from './session.ts';

/** One row to be. */
export interface Case {
  bench: string;
  shape: string;
  measure(session: Session): Promise<Row>;
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
