import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { Evaluation } from '../../src/train/events.ts';
import type { Method } from '../../src/train/options.ts';

export const NAMES: Readonly<Record<Method, string>> = { 'source-only': 'Print alone', dann: 'DANN', pada: 'PADA' };

/** What sets a method apart, in a few words. */
export const IDEAS: Readonly<Record<Method, string>> = {
  'source-only': 'learns print, and adapts to nothing',
  dann: 'adapts to all of print',
  pada: 'adapts to the part of print that counts',
};

export const percent = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)}\u00a0%` : '–');
export const count = (n: number): string => n.toLocaleString('en');

/** `a`, `a and b`, or `a, b and c`. */
export const listed = (items: readonly string[]): string => items.join(', ').replace(/, ([^,]*)$/, ' and $1');

// Keeps a range on one line.
const JOINER = '\u2060';

/** `0–4` or `0–2, 5, 7–9`. */
export function ranges(digits: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const digit of digits) {
    const last = parts.at(-1);
    if (last && last[1] === digit - 1) last[1] = digit;
    else parts.push([digit, digit]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${JOINER}${to}`)).join(', ');
}

/** Percent of images that were taken for digits which the set does not hold: what negative transfer does. */
export function strayShare({ confusion, count: all }: Evaluation, digits: readonly number[]): number {
  let stray = 0;
  for (const row of confusion) for (const [c, n] of row.entries()) if (!digits.includes(c)) stray += n;
  return (100 * stray) / all;
}

/** What an adapter is called, as far as it says; without the versions that follow. */
export function nameOf({ description, device, architecture, vendor }: AdapterInfo): string {
  const parts = [vendor, architecture].filter(Boolean).join(' ');
  return (description || device || parts).replace(/[:(].*/, '').trim() || 'an adapter without a name';
}
