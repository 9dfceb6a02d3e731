import type { Peaks } from '../../src/debug/peaks.ts';
import { singleFamily } from '../../src/gemm/settings.ts';
import type { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Bench, Case } from './case.ts';
import { failedRow, type Row } from './row.ts';
import { FULL, QUICK, Session } from './session.ts';

export interface SuiteOptions {
  /** Names of benches or their beginnings: `softmax` includes `softmax-column-mean`. Default: all. */
  only?: readonly string[];
  /** Small sizes and few samples. */
  quick?: boolean;
  /** Called with each row as soon as it is measured. */
  onRow?: (row: Row) => void;
  signal?: AbortSignal;
}

export interface SuiteResult {
  rows: Row[];
  /** The number of rows with a wrong result. */
  failed: number;
  /** Why the device was lost, which ended the list. */
  lost?: Error;
}

/** Returns the cases of the chosen benches. Throws `RangeError` for a name that no bench has. */
export function casesOf(benches: readonly Bench[], gpu: Gpu, { only, quick = false }: SuiteOptions): Case[] {
  const scale = { quick, software: gpu.info.software, gemmFamily: singleFamily(gpu), subgroupSize: gpu.subgroupSize };
  const all = benches.flatMap((bench) => bench(scale));
  if (!only) return all;
  const names = [...new Set(all.map((one) => one.bench))];
  // The name of the op (softmaxColumnMean) or of the bench (softmax-column-mean).
  const wanted = only.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  const matches = (bench: string, name: string) => bench === name || bench.startsWith(`${name}-`);
  const unknown = only.find((_, i) => !names.some((bench) => matches(bench, wanted[i]!)));
  if (unknown !== undefined) throw new RangeError(`no bench is called ${unknown}; the benches are ${names.join(', ')}`);
  return all.filter((one) => wanted.some((name) => matches(one.bench, name)));
}

/**
 * Returns the message of an error, after the errors that follow from it, which the next case would report otherwise. If this device
 * is lost, it throws.
 */
export async function problemOf(gpu: Gpu, error: Error): Promise<string> {
  await gpu.idle().catch((next: GpuError) => {
    if (next.code === 'GPU_LOST') throw next;
  });
  return error.message;
}

/** Measures the cases one after the other. A case that throws becomes a failed row. */
export async function runSuite(
  gpu: Gpu,
  cases: readonly Case[],
  peaks: Peaks | null,
  { quick = false, onRow, signal }: SuiteOptions = {},
): Promise<SuiteResult> {
  const session = new Session(gpu, peaks, quick ? QUICK : FULL);
  const rows: Row[] = [];
  let lost: Error | undefined;
  try {
    for (const one of cases) {
      if (signal?.aborted) break;
      const { bench, shape } = one;
      const row = await one
        .measure(session)
        .catch(async (error: Error) =>
          failedRow({ bench, shape, peer: 'padagrad', kernel: '' }, await problemOf(gpu, error)),
        );
      rows.push(row);
      onRow?.(row);
    }
  } catch (error) {
    lost = error as Error;
  } finally {
    session.dispose();
  }
  return { rows, failed: rows.filter((row) => !row.verified).length, ...(lost && { lost }) };
}
