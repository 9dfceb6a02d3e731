import type { Evaluation } from '../../train/events.ts';
import type { Method } from '../../train/options.ts';

/** What a run reached and what it took. Accuracies are percentages, null where no labels were given. */
export interface Figures {
  method: Method;
  iterations: number;
  targetAccuracy: number | null;
  sourceAccuracy: number | null;
  classWeight: readonly number[];
  effectiveClasses: number;
  entropy: number;
  secondsPerIteration: number;
  seconds: number;
  /** True where it was interrupted before its last iteration. */
  aborted: boolean;
}

/** One run. */
export interface RunSummary extends Figures {
  seed: number;
  /** From the start of training to the end of its first iteration; null if none was done. */
  secondsToFirstStep: number | null;
  target?: Evaluation | undefined;
  source?: Evaluation | undefined;
}

/** Several runs of one method: the figures are their means, the deviations those of the sample (n - 1). */
export interface SeedsSummary extends Figures {
  seeds: readonly number[];
  targetDeviation: number | null;
  sourceDeviation: number | null;
  runs: readonly RunSummary[];
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a sample (n - 1); null for fewer than two values. */
export function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Mean and deviation over the runs of one method. */
export function summarizeSeeds(runs: readonly RunSummary[]): SeedsSummary {
  const over = (figure: (run: RunSummary) => number): number => mean(runs.map(figure));
  const known = (name: 'targetAccuracy' | 'sourceAccuracy'): number[] =>
    runs.map((run) => run[name]).filter((value) => value !== null);
  const targets = known('targetAccuracy');
  const sources = known('sourceAccuracy');
  const first = runs[0]!;
  return {
    method: first.method,
    iterations: Math.min(...runs.map((run) => run.iterations)),
    targetAccuracy: targets.length > 0 ? mean(targets) : null,
    targetDeviation: deviation(targets),
    sourceAccuracy: sources.length > 0 ? mean(sources) : null,
    sourceDeviation: deviation(sources),
    classWeight: first.classWeight.map((_, c) => over((run) => run.classWeight[c]!)),
    effectiveClasses: over((run) => run.effectiveClasses),
    entropy: over((run) => run.entropy),
    secondsPerIteration: over((run) => run.secondsPerIteration),
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
    aborted: runs.some((run) => run.aborted),
    seeds: runs.map((run) => run.seed),
    runs,
  };
}
