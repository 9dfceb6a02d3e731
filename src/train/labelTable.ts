// Predicted labels as a table, one row per example: what `padagrad predict` prints and the page offers to download.
import type { HostData } from '../data/host.ts';

/** The prediction for one example. */
export interface LabelRow {
  /** The example's file, relative to its folder; its number for data without files. */
  file: string;
  /** The name of the most probable class; its number if classes have no names. */
  label: string;
  probability: number;
  second: string;
  secondProbability: number;
}

/** Returns a row per example. @param probabilities [n, classes], row by row */
export function labelRows(
  { count, names }: Pick<HostData, 'count' | 'names'>,
  probabilities: Float32Array,
  classNames?: readonly string[] | null,
): LabelRow[] {
  const classes = probabilities.length / count;
  const nameOf = (c: number): string => classNames?.[c] ?? String(c);
  return Array.from({ length: count }, (_, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    let best = 0;
    let second = 1;
    if (row[1]! > row[0]!) [best, second] = [1, 0];
    for (let c = 2; c < classes; c++) {
      if (row[c]! > row[best]!) [best, second] = [c, best];
      else if (row[c]! > row[second]!) second = c;
    }
    const [probability, secondProbability] = [row[best]!, row[second]!];
    return {
      file: names?.[i] ?? String(i),
      label: nameOf(best),
      probability,
      second: nameOf(second),
      secondProbability,
    };
  });
}

const COLUMNS = ['file', 'label', 'probability', 'second', 'secondProbability'] as const;

/** Writes rows as CSV (RFC 4180): lines end in CR LF, and fields with commas, quotes or line breaks are quoted. */
export function labelsCsv(rows: readonly LabelRow[]): string {
  const field = (value: string | number): string => {
    const text = typeof value === 'number' ? value.toFixed(6) : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => COLUMNS.map((column) => field(row[column])).join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}
