// Bars and tables in text.
import Table from 'cli-table3';
import type pc from 'picocolors';
import type { Evaluation } from '../../train/events.ts';
import { percent } from './format.ts';

type Colors = ReturnType<typeof pc.createColors>;

const LONGEST_BAR = 32;
// Characters next to a bar in the widest row.
const NEXT_TO_BAR = 22;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
// A confusion matrix of more classes is wider than a terminal.
const LARGEST_MATRIX = 16;
// The same, in letters of all class names.
const LONGEST_HEAD = 50;

/** Returns a bar of `width` characters that is filled to `fraction`, in eighths of a character. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction || 0)) * width * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]).padEnd(width);
}

/** Returns the length of bars in lines of `columns` characters. */
export const barWidth = (columns = Number.POSITIVE_INFINITY): number =>
  Math.max(1, Math.min(LONGEST_BAR, columns - NEXT_TO_BAR));

// Longer names are cut.
const LONGEST_NAME = 16;

/** Returns the name of a class, or its number if it has none. */
function nameOf(c: number, names: readonly string[] | null | undefined): string {
  const name = names?.[c] ?? String(c);
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}

/** Returns class weights as bars, a line per class. If `shared` lists the target's classes, each class is marked as shared or absent. */
export function weightBars(
  weights: readonly number[],
  shared: readonly number[] | null,
  { colors, columns }: { colors: Colors; columns: number | undefined },
  names?: readonly string[] | null,
): string[] {
  const longest = Math.max(3, ...weights.map((_, c) => nameOf(c, names).length));
  const width = barWidth(columns && columns - longest + 3);
  return weights.map((weight, c) => {
    const known = shared === null ? '' : shared.includes(c) ? 'shared' : 'absent';
    const color = known === 'shared' ? colors.green : known === 'absent' ? colors.red : colors.cyan;
    return `  ${nameOf(c, names).padStart(longest)}  ${color(bar(weight, width))}  ${weight.toFixed(3)}  ${colors.dim(known)}`.trimEnd();
  });
}

/** Returns class weights in one line, for logs: `0:1.00 1:0.96 ... | absent 5:0.01 6:0.00`. */
export function weightLine(
  weights: readonly number[],
  shared: readonly number[] | null,
  names?: readonly string[] | null,
): string {
  const show = (list: readonly number[]): string =>
    list.map((c) => `${nameOf(c, names)}:${weights[c]!.toFixed(2)}`).join(' ');
  const all = weights.map((_, c) => c);
  if (shared === null) return show(all);
  const absent = all.filter((c) => !shared.includes(c));
  return absent.length === 0 ? show(all) : `${show(all.filter((c) => shared.includes(c)))} | absent ${show(absent)}`;
}

const BORDERS = ['top', 'bottom', 'left', 'right', 'mid'];
const NO_BORDERS = Object.fromEntries([
  ...BORDERS.flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`]).map((name) => [name, '']),
  ['middle', ' '],
]);

/** Returns a table without borders. The first column is aligned left, the others right, `gap` characters apart. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[], gap = 2): string {
  const colAligns = head.map((_, i) => (i === 0 ? ('left' as const) : ('right' as const)));
  const style = { head: [], border: [], 'padding-left': gap - 1, 'padding-right': 0 };
  const table = new Table({ head: [...head], chars: NO_BORDERS, colAligns, style });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** Returns accuracy and confusion matrix, a row per class that the set contains. Ten classes fit 80 columns. */
export function confusionTable(
  { confusion, perClass }: Evaluation,
  colors: Colors,
  names?: readonly string[] | null,
): string {
  const wide = confusion.length > LARGEST_MATRIX || (names ?? []).join('').length > LONGEST_HEAD;
  const predictions = wide
    ? ['most often taken for']
    : confusion.map((_, prediction) => (names ? nameOf(prediction, names) : `as ${prediction}`));
  const rows = confusion.flatMap((row, truth) => {
    const images = row.reduce((a, b) => a + b, 0);
    if (images === 0) return [];
    const cell = (n: number, prediction: number): string => {
      if (n === 0) return colors.dim('.');
      return prediction === truth ? colors.green(String(n)) : colors.red(String(n));
    };
    return [
      [
        nameOf(truth, names),
        percent(perClass[truth]),
        String(images),
        ...(wide ? [mistakenFor(row, truth, names)] : row.map(cell)),
      ],
    ];
  });
  return columns(['class', ' accuracy', ' images', ...predictions], rows, 1);
}

/** Returns the most frequent wrong prediction for a class, and how often it occurs. */
function mistakenFor(row: readonly number[], truth: number, names?: readonly string[] | null): string {
  const wrong = row.map((n, prediction) => (prediction === truth ? 0 : n));
  const most = Math.max(...wrong);
  return most > 0 ? `${nameOf(wrong.indexOf(most), names)} (${most})` : '-';
}
