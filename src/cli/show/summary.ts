import type { Evaluation } from '../../train/events.ts';
import type { MethodName } from '../../train/methods/named.ts';
import { METHOD_TITLES, spread } from './format.ts';

/** Figures of a result. Accuracies are percentages, null without labels. */
export interface Figures {
  method: MethodName;
  iterations: number;
  targetAccuracy: number | null;
  sourceAccuracy: number | null;
  classWeight: readonly number[];
  effectiveClasses: number;
  entropy: number;
  secondsPerIteration: number;
  seconds: number;
  /** True if it was interrupted before its last iteration. */
  aborted: boolean;
}

/** The result of one run. */
export interface RunSummary extends Figures {
  seed: number;
  /** Time from the start to the end of the first iteration; null without iterations. */
  secondsToFirstStep: number | null;
  target?: Evaluation | undefined;
  source?: Evaluation | undefined;
}

/** The result of one method with several seeds: means, with the sample's standard deviation (n - 1). */
export interface SeedsSummary extends Figures {
  seeds: readonly number[];
  targetDeviation: number | null;
  sourceDeviation: number | null;
  runs: readonly RunSummary[];
}

/** Returns the means of one method's runs. */
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

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns the standard deviation of a sample (n - 1); null for fewer than two values. */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Writes the result of several seeds in a line. */
export function seedsLine(result: SeedsSummary): string {
  const each = result.runs.map((run) => run.targetAccuracy?.toFixed(1) ?? '-').join(', ');
  const { targetAccuracy, targetDeviation, sourceAccuracy, sourceDeviation } = result;
  const figures = [];
  if (targetAccuracy !== null) figures.push(`target accuracy ${spread(targetAccuracy, targetDeviation)} (${each})`);
  if (sourceAccuracy !== null) figures.push(`source accuracy ${spread(sourceAccuracy, sourceDeviation)}`);
  const known = figures.length > 0 ? `${figures.join(', ')}; mean (standard deviation) in percent` : 'accuracy unknown';
  return `${METHOD_TITLES[result.method]}, seeds ${result.seeds.join(', ')}: ${known}`;
}
