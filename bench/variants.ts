// `npm run bench -- --variants`: times every variant of the GEMM kernels for every shape of the networks and the benches. It
// prints the regret of the table in src/gemm/variants.ts: how much slower its choice is than the fastest variant. Results are
// verified before they are timed. Convolutions that are computed directly have no GEMM, so they are not listed.
import { type GemmUse, traitsOf, withVariants } from '../src/gemm/settings.ts';
import { type GemmVariant, listVariants } from '../src/gemm/variants.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { step as cnnStep } from './cnn.ts';
import type { Case } from './harness/case.ts';
import { digits } from './harness/report.ts';
import type { PreparedStep } from './harness/stepCase.ts';
import { problemOf } from './harness/suite.ts';
import type { Numbers } from './harness/verify.ts';
import { prepare as padaStep } from './pada.ts';

/** One shape with the times of its variants. */
export interface VariantRow extends GemmUse {
  /** The bench in which it was measured. */
  bench: string;
  choice: GemmVariant;
  fastest: GemmVariant;
  /** Milliseconds of the choice and of the fastest variant; null if there is no correct result. */
  choiceMs: number | null;
  fastestMs: number | null;
  /** choiceMs / fastestMs - 1. */
  regret: number | null;
  /** All variants with their milliseconds. Wrong results and errors are a `problem`, and then `ms` is null. */
  variants: { variant: GemmVariant; ms: number | null; problem?: string }[];
}

/** What is known of a subject while its variants are measured. */
interface Known {
  /** The expected results, which all variants share. Computing them may take longer than all the rest. */
  truths?: readonly Numbers[];
}

/** Work whose GEMMs are timed: an op, or a whole step. */
interface Subject {
  bench: string;
  open(gpu: Gpu, known: Known): Promise<OpenSubject>;
}

interface OpenSubject {
  run(): void | Promise<void>;
  verify(): Promise<string | null>;
  dispose(): void;
}

/** A shape while it is measured. */
interface Shape {
  use: GemmUse;
  variants: readonly GemmVariant[];
  /** Seconds per variant, or what is wrong with it. */
  outcomes: (number | string)[];
}

const RUNS = 7;

const STEPS: Readonly<Record<string, (gpu: Gpu) => Promise<PreparedStep>>> = {
  'cnn-step': cnnStep,
  'pada-step': padaStep,
};

/** Returns the cases that have GEMMs: ops, and the steps of the plain CNN and of PADA. */
export function subjectsOf(cases: readonly Case[]): Subject[] {
  const subjects = cases.map(({ bench, shape, open }): Subject | undefined => {
    const prepare = STEPS[bench];
    if (prepare)
      return {
        bench,
        open: async (gpu) => {
          const one = await prepare(gpu);
          return { run: () => one.step(), verify: () => one.verify(), dispose: () => one.dispose() };
        },
      };
    if (!open || !/^(matmul|linear|conv2d)/.test(bench)) return undefined;
    return {
      bench: `${bench} ${shape}`,
      open: async (gpu, known) => {
        const one = await open(gpu, known.truths);
        const verify = async () => {
          known.truths = one.truths;
          return one.problem();
        };
        return { run: () => one.step.run(), verify, dispose: () => one.dispose() };
      },
    };
  });
  // The ops first: they are verified faster, and a shape is measured only once.
  return subjects
    .filter((subject) => subject !== undefined)
    .sort((a, b) => Number(a.bench in STEPS) - Number(b.bench in STEPS));
}

/**
 * Measures the variants of all shapes of the subjects. A shape that occurs again is measured only once. `onSubject` is called before
 * each subject, `onRow` with each row; an abort ends the list after the current subject.
 */
export async function measureVariants(
  gpu: Gpu,
  subjects: readonly Subject[],
  {
    onRow,
    onSubject,
    signal,
  }: { onRow?: (row: VariantRow) => void; onSubject?: (bench: string) => void; signal?: AbortSignal } = {},
): Promise<VariantRow[]> {
  const rows = new Map<string, VariantRow>();
  for (const subject of subjects) {
    if (signal?.aborted) break;
    onSubject?.(subject.bench);
    for (const shape of await shapesOf(gpu, subject, new Set(rows.keys()))) {
      const row = rowOf(subject.bench, shape);
      rows.set(keyOf(shape.use), row);
      onRow?.(row);
    }
  }
  return [...rows.values()];
}

/** Opens a subject once per variant. Each time, every shape uses the next variant of its own list. */
async function shapesOf(gpu: Gpu, subject: Subject, seen: ReadonlySet<string>): Promise<Shape[]> {
  const shapes = new Map<string, Shape>();
  const known: Known = {};
  const measured = () => [...shapes.values()].filter(({ outcomes }) => outcomes.length > 0);
  for (let round = 0; round === 0 || measured().some(({ variants }) => round < variants.length); round++) {
    const variantOf = (use: GemmUse, usual: GemmVariant): GemmVariant => {
      const key = keyOf(use);
      if (seen.has(key)) return usual;
      const shape = shapes.get(key) ?? { use, variants: variantsOf(gpu, use), outcomes: [] };
      shapes.set(key, shape);
      return shape.variants[round] ?? usual;
    };
    const seconds = await timed(gpu, () => withVariants(gpu, variantOf, () => subject.open(gpu, known)));
    const asked = (round === 0 ? [...shapes.values()] : measured()).filter(({ variants }) => round < variants.length);
    for (const { use, outcomes } of asked) {
      const outcome = typeof seconds === 'string' ? seconds : seconds.get(labelOf(use));
      if (outcome !== undefined) outcomes[round] = outcome;
    }
  }
  return measured();
}

/** Verifies a subject, and only then times its GEMMs. Returns their seconds by label, or what is wrong. */
async function timed(gpu: Gpu, open: () => Promise<OpenSubject>): Promise<Map<string, number> | string> {
  let opened: OpenSubject | undefined;
  try {
    opened = await open();
    await opened.run();
    return (await opened.verify()) ?? (await secondsOf(gpu, opened.run));
  } catch (error) {
    // A variant may need more than this device has, which shows only here.
    return problemOf(gpu, error as Error);
  } finally {
    opened?.dispose();
  }
}

/** The table's choice first and last, so that a clock that slows down shows. */
function variantsOf(gpu: Gpu, { m, n, k }: GemmUse): GemmVariant[] {
  const variants = listVariants(traitsOf(gpu), m, n, k);
  return [...variants, variants[0]!];
}

/** Returns the shortest time of each GEMM, with the sum over the parts of k, by its label. */
async function secondsOf(gpu: Gpu, run: () => void | Promise<void>): Promise<Map<string, number>> {
  const { events } = await gpu.profile(async () => {
    for (let i = 0; i < RUNS; i++) await run();
  });
  const shortest = new Map<string, number>();
  for (const [i, { kernel, flops, seconds }] of events.entries()) {
    if (!kernel.endsWith('.gemm')) continue;
    const name = kernel.slice(0, -'.gemm'.length);
    const next = events[i + 1];
    const all = seconds + (next?.kernel === `${name}.reduce` ? next.seconds : 0);
    const label = `${name} ${flops}`;
    shortest.set(label, Math.min(all, shortest.get(label) ?? Number.POSITIVE_INFINITY));
  }
  return shortest;
}

const keyOf = ({ name, m, n, k }: GemmUse): string => `${name} ${m}x${n}x${k}`;
// A profile knows a GEMM's name and operations.
const labelOf = ({ name, m, n, k }: GemmUse): string => `${name} ${2 * m * n * k}`;

function rowOf(bench: string, { use, variants, outcomes }: Shape): VariantRow {
  const results = variants.map((variant, i) => {
    const outcome = outcomes[i] ?? 'it did not run';
    return typeof outcome === 'number' ? { variant, ms: 1e3 * outcome } : { variant, ms: null, problem: outcome };
  });
  const again = results.pop()!;
  const choice = results[0]!;
  if (choice.ms !== null && again.ms !== null) choice.ms = Math.min(choice.ms, again.ms);
  const correct = results.filter(({ ms }) => ms !== null);
  const fastest = correct.reduce((a, b) => (b.ms! < a.ms! ? b : a), correct[0] ?? choice);
  const regret = choice.ms === null || fastest.ms === null ? null : choice.ms / fastest.ms - 1;
  return {
    ...{ bench, ...use, choice: choice.variant, fastest: fastest.variant },
    ...{ choiceMs: choice.ms, fastestMs: fastest.ms, regret, variants: results },
  };
}

export const VARIANT_COLUMNS = ['GEMM', 'm x n x k', 'choice', 'ms', 'fastest', 'ms', 'regret', 'measured'];

/** Returns the cells of a row, as {@link VARIANT_COLUMNS} names them. */
export function variantCells({ name, m, n, k, choice, fastest, ...row }: VariantRow): string[] {
  const wrong = row.variants.filter(({ ms }) => ms === null).length;
  const time = (ms: number | null) => (ms === null ? '-' : digits(ms));
  return [
    ...[name, `${m}x${n}x${k}`, nameOf(choice), time(row.choiceMs), nameOf(fastest), time(row.fastestMs)],
    row.regret === null ? '-' : `${(100 * row.regret).toFixed(0)} %`,
    `${row.variants.length}${wrong > 0 ? `, ${wrong} wrong` : ''}`,
  ];
}

/** `workgroup 64x64 by 8x8 /4`: the family, the tile, an invocation's block of it, and the parts of k. */
export const nameOf = ({ family, tileRows, tileColumns, block, splitK }: GemmVariant): string =>
  `${family} ${tileRows}x${tileColumns}${block ? ` by ${block}x${block}` : ''}${splitK > 1 ? ` /${splitK}` : ''}`;
