import type { Peaks } from '../../src/debug/peaks.ts';
import { singleFamily } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Bench, Case } from './case.ts';
import { failedRow, type Row } from './row.ts';
import { FULL, QUICK, Session } from './session.ts';

export interface SuiteOptions {
  /** Names of benches, or their beginnings (`softmax` is also `softmax-column-mean`); all by default. */
  only?: readonly string[];
  /** Small sizes and few samples. */
  quick?: boolean;
  /** A row as soon as it is measured. */
  onRow?: (row: Row) => void;
  signal?: AbortSignal;
}

export interface SuiteResult {
  rows: Row[];
  /** How many rows had a wrong result. */
  failed: number;
}

/** The cases that are asked for. @throws RangeError if a name is no bench's */
export function casesOf(benches: readonly Bench[], gpu: Gpu, { only, quick = false }: SuiteOptions): Case[] {
  const scale = { quick, software: gpu.info.software, gemmFamily: singleFamily(gpu), subgroupSize: gpu.subgroupSize };
  const all = benches.flatMap((bench) => bench(scale));
  if (!only) return all;
  const names = [...new Set(all.map((one) => one.bench))];
  // As the op is called, or as the bench is: softmaxColumnMean, softmax-column-mean.
  const asked = only.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  const matches = (bench: string, name: string) => bench === name || bench.startsWith(`${name}-`);
  const unknown = only.find((_, i) => !names.some((bench) => matches(bench, asked[i]!)));
  if (unknown !== undefined) throw new RangeError(`no bench is called ${unknown}; there are ${names.join(', ')}`);
  return all.filter((one) => asked.some((name) => matches(one.bench, name)));
}

/** Measures one case after the other, against the adapter's peaks where they are known. A case that throws is a failed row. */
export async function runSuite(
  gpu: Gpu,
  cases: readonly Case[],
  peaks: Peaks | null,
  { quick = false, onRow, signal }: SuiteOptions = {},
): Promise<SuiteResult> {
  const session = new Session(gpu, peaks, quick ? QUICK : FULL);
  const rows: Row[] = [];
  try {
    for (const one of cases) {
      if (signal?.aborted) break;
      const { bench, shape } = one;
      const row = await one
        .measure(session)
        .catch((error: Error) => failedRow({ bench, shape, peer: 'padagrad', kernel: '' }, error.message));
      rows.push(row);
      onRow?.(row);
    }
  } finally {
    session.dispose();
  }
  return { rows, failed: rows.filter((row) => !row.verified).length };
}
