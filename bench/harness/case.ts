import type { Row } from './row.ts';
import type { Session } from './session.ts';

/** One row to be. */
export interface Case {
  bench: string;
  shape: string;
  measure(session: Session): Promise<Row>;
}

/** What sizes are worth measuring: on a software adapter, and in a hurry, only small ones. */
export interface Scale {
  quick: boolean;
  software: boolean;
}

/** A file of the bench: its cases, smallest first. */
export type Bench = (scale: Scale) => readonly Case[];
