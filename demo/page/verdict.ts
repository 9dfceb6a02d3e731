// The sentence under the scores. It ranks runs only if that is fair: at the same iteration, in several evaluations
// that agree, and by a difference that the number of test images can resolve.
import type { Evaluation } from '../../src/train/events.ts';
import type { PageState, RunState } from './state.ts';
import { VERDICT } from './words.ts';

// Accuracy varies between evaluations by more than the sampling error.
const AGREEING = 3;
// Two-sided, 95 % confidence.
const Z = 1.96;

/** Returns a sentence that compares the runs so far; '' if there is nothing to compare. */
export function verdictOf({ runs, settings, held, words }: PageState): string {
  const latest = runs.map(({ evaluations }) => evaluations.at(-1)?.iteration ?? 0);
  if (runs.length < 2 || latest.includes(0)) return '';
  const iteration = Math.min(...latest);
  const behind = runs.filter((_, i) => latest[i] === iteration);
  if (behind.length < runs.length) return VERDICT.behind(behind.map(({ method }) => method));
  // Until its first class weights PADA weighs all classes equally, as DANN does.
  const judged = runs.filter(({ method, weightedSince }) => method !== 'pada' || weightedSince !== undefined);
  if (judged.length < 2) return VERDICT.unweighted(settings.updateSteps);
  const rounds = roundsOf(judged);
  if (rounds.length < AGREEING) return VERDICT.early(iteration);
  const now = rounds.at(-1)!;
  const ranked = [...now.keys()].sort((a, b) => now[b]!.accuracy - now[a]!.accuracy);
  const [best, worst] = [ranked[0]!, ranked.at(-1)!];
  const inAll = (shareOf: (evaluation: Evaluation) => number, more: number, less: number) =>
    rounds.every((round) => exceeds(shareOf(round[more]!), shareOf(round[less]!), round[more]!.count));
  const methods = judged.map(({ method }) => method);
  if (!inAll(({ accuracy }) => accuracy, best, worst)) return VERDICT.equal(iteration, now[best]!.count, methods);
  const absent = (evaluation: Evaluation) => absentShare(evaluation, held);
  const scores = ranked.map((i) => ({ method: methods[i]!, accuracy: now[i]!.accuracy }));
  const misreads = inAll(absent, worst, best)
    ? VERDICT.misreads(methods[worst]!, absent(now[worst]!), words.kinds)
    : '';
  return VERDICT.ranked(iteration, scores) + misreads;
}

/** Returns the percentage of images that were classified as a class that does not occur: negative transfer. */
export function absentShare({ confusion, count: all }: Evaluation, held: readonly number[]): number {
  let absent = 0;
  for (const row of confusion) for (const [c, n] of row.entries()) if (!held.includes(c)) absent += n;
  return (100 * absent) / all;
}

/** Returns the latest evaluations at iterations for which every run has one, since PADA has class weights. */
function roundsOf(runs: readonly RunState[]): Evaluation[][] {
  const since = Math.max(...runs.map(({ weightedSince = 0 }) => weightedSince));
  const at = (run: RunState, wanted: number) => run.evaluations.find(({ iteration }) => iteration === wanted);
  return runs[0]!.evaluations
    .filter(({ iteration }) => iteration > since)
    .map(({ iteration }) => runs.flatMap((run) => at(run, iteration)?.evaluation ?? []))
    .filter((round) => round.length === runs.length)
    .slice(-AGREEING);
}

/**
 * Returns whether one percentage of `n` images exceeds another by more than chance explains, by the interval of
 * Agresti and Caffo (2000). Both networks classify the same images, so chance explains even less.
 */
function exceeds(more: number, less: number, n: number): boolean {
  const [p, q] = [more, less].map((share) => ((share / 100) * n + 1) / (n + 2)) as [number, number];
  return p - q > Z * Math.sqrt((p * (1 - p) + q * (1 - q)) / (n + 2));
}
