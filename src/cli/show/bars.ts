import Table from 'cli-table3';
import type pc from 'picocolors';
import type { Evaluation } from '../../train/events.ts';
import { percent } from './format.ts';

type Colors = ReturnType<typeof pc.createColors>;

const BAR = 32;
// What stands beside a bar in the widest row.
const BESIDE = 22;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
// A wider confusion matrix fits no terminal.
const WIDEST_MATRIX = 16;

/** `fraction` of a bar `width` characters long, in eighths of a character. */
export function bar(fraction: number, width = BAR): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction || 0)) * width * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]).padEnd(width);
}

/** How long bars may be where lines are `columns` characters wide. */
export const barWidth = (columns = Number.POSITIVE_INFINITY): number => Math.max(1, Math.min(BAR, columns - BESIDE));

/** Class weights as bars, one class a line; `shared` tells the target's classes from those that only the source has. */
export function weightBars(
  weights: readonly number[],
  shared: readonly number[] | null,
  { colors, columns }: { colors: Colors; columns: number | undefined },
): string[] {
  const width = barWidth(columns);
  return weights.map((weight, c) => {
    const known = shared === null ? '' : shared.includes(c) ? 'shared' : 'absent';
    const color = known === 'shared' ? colors.green : known === 'absent' ? colors.red : colors.cyan;
    return `  ${String(c).padStart(3)}  ${color(bar(weight, width))}  ${weight.toFixed(3)}  ${colors.dim(known)}`.trimEnd();
  });
}

/** Class weights in one line, for logs: `0:1.00 1:0.96 ... | absent 5:0.01 6:0.00`. */
export function weightLine(weights: readonly number[], shared: readonly number[] | null): string {
  const show = (list: readonly number[]): string => list.map((c) => `${c}:${weights[c]!.toFixed(2)}`).join(' ');
  const all = weights.map((_, c) => c);
  if (shared === null) return show(all);
  const absent = all.filter((c) => !shared.includes(c));
  return absent.length === 0 ? show(all) : `${show(all.filter((c) => shared.includes(c)))} | absent ${show(absent)}`;
}

const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
} as const;

/** Columns, aligned to the right but for the first, `gap` characters apart. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[], gap = 2): string {
  const colAligns = head.map((_, i) => (i === 0 ? ('left' as const) : ('right' as const)));
  const style = { head: [], border: [], 'padding-left': gap - 1, 'padding-right': 0 };
  const table = new Table({ head: [...head], chars: PLAIN, colAligns, style });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** Accuracy by class beside the confusion matrix, a row for each class that the set has; ten classes fit 80 columns. */
export function confusionTable({ confusion, perClass }: Evaluation, colors: Colors): string {
  const present = confusion
    .map((row, truth) => ({ row, truth, images: row.reduce((a, b) => a + b, 0) }))
    .filter(({ images }) => images > 0);
  const wide = confusion.length > WIDEST_MATRIX;
  const head = [
    'class',
    ' accuracy',
    ' images',
    ...(wide ? ['most often taken for'] : confusion.map((_, prediction) => `as ${prediction}`)),
  ];
  const rows = present.map(({ row, truth, images }) => {
    const cell = (n: number, prediction: number): string => {
      if (n === 0) return colors.dim('.');
      return prediction === truth ? colors.green(String(n)) : colors.red(String(n));
    };
    const taken = wide ? [mostOftenTakenFor(row, truth)] : row.map(cell);
    return [String(truth), percent(perClass[truth]), String(images), ...taken];
  });
  return columns(head, rows, 1);
}

function mostOftenTakenFor(row: readonly number[], truth: number): string {
  const others = row
    .map((n, prediction) => ({ n, prediction }))
    .filter(({ n, prediction }) => n > 0 && prediction !== truth);
  const worst = others.sort((a, b) => b.n - a.n)[0];
  return worst ? `${worst.prediction} (${worst.n})` : '-';
}
