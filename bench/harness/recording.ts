// The file of a run: device, peaks, every row and every variant's time. Node and the page write the same form.
import type { Peaks } from '../../src/debug/peaks.ts';
import type { VariantRow } from '../variants.ts';
import type { DeviceBlock } from './report.ts';
import type { Row } from './row.ts';

/** The file that `--json FILE` and the kernel lab write. docs/figures and docs/results keep such files for the documents. */
export interface Recording {
  /** The day, as in 2026-11-29. */
  date: string;
  /** The commit of the clone that ran, or from which the page was built; null if it is unknown. */
  commit: string | null;
  /** The command, or the name of the page. */
  command: string;
  /** Node's version and the system, or what the browser says of itself. */
  runtime: string;
  device: DeviceBlock;
  /** The load average of the machine before the run; null in a browser, which does not know it. */
  load: number | null;
  peaks: Peaks;
  rows: readonly Row[];
  /** The GEMM shapes with the time of every variant, if they were measured. */
  variants?: readonly VariantRow[];
}

/** Returns the text of a recording: JSON, with a line per row. */
export function recordingOf({ rows, variants, ...head }: Recording): string {
  const line = (name: string, value: unknown) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`;
  const lines = (name: string, values: readonly unknown[]) =>
    `  ${JSON.stringify(name)}: [\n${values.map((value) => `    ${JSON.stringify(value)}`).join(',\n')}\n  ]`;
  const parts = [
    ...Object.entries(head).map(([name, value]) => line(name, value)),
    lines('rows', rows),
    ...(variants ? [lines('variants', variants)] : []),
  ];
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** An earlier run: its rows, and the driver that it measured if known. */
export interface Earlier {
  rows: Row[];
  driver: string | undefined;
}

/** Reads a recording, or the events that `--json` printed. Throws `SyntaxError` for anything else. */
export function parseRun(text: string): Earlier {
  const { rows, driver } = text.startsWith('{\n') ? parseRecording(text) : parseEvents(text);
  if (rows.length === 0) throw new SyntaxError('it has no rows; use output of --json');
  return { rows, driver };
}

function parseRecording(text: string): Earlier {
  const { rows, device } = JSON.parse(text) as Recording;
  return { rows: [...rows], driver: device.driver };
}

function parseEvents(text: string): Earlier {
  const events = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Partial<Row> & { driver?: string });
  const rows = events.filter((event): event is Row => typeof event.bench === 'string');
  return { rows, driver: events.find(({ driver }) => driver)?.driver };
}
