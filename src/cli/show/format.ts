// How the command line writes methods and numbers for people.
import type { MethodName } from '../../train/methods/named.ts';

/** The titles of the methods. */
export const METHOD_TITLES: Record<MethodName, string> = {
  'source-only': 'source only',
  dann: 'DANN',
  pada: 'PADA',
  iwan: 'IWAN',
  afn: 'AFN',
  mcc: 'MCC',
  ba3us: 'BA3US',
  'self-training': 'self-training',
};

export const percent = (value: number | null | undefined): string =>
  value == null || Number.isNaN(value) ? '-' : `${value.toFixed(1)} %`;

/** Writes six thousand as `6,000`. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 image`, `6,000 images`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Writes seconds as `0.4 s`, `8 s`, `2 min 5 s` or `1 h 10 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (seconds > 0 && seconds < 1) return `${Number(seconds.toFixed(1))} s`;
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Writes seconds in milliseconds: `92 ms`, `1.8 ms`. */
export function milliseconds(seconds: number): string {
  const value = 1000 * seconds;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

/** Writes classes as flags have them: `0-4`, `0,3,7`. */
export function classes(list: readonly number[]): string {
  const runs: number[][] = [];
  for (const value of list) {
    const last = runs.at(-1);
    if (last && value === last.at(-1)! + 1) last.push(value);
    else runs.push([value]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(','))).join(',');
}

/** `mean (deviation)`, as in the tables. */
export const spread = (mean: number | null, deviation: number | null): string =>
  mean === null ? '-' : deviation === null ? mean.toFixed(1) : `${mean.toFixed(1)} (${deviation.toFixed(1)})`;
