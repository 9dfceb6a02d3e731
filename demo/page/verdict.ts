// The sentence under the scores. It ranks runs only if that is fair: at the same iteration, in several evaluations
// that agree, and by a difference that the number of test images can resolve.
import type { Evaluation } from '../../src/train/events.ts';
import type { Settings } from './settings.ts';
import type { PageState, RunState } from './state.ts';
import { VERDICT } from './words.ts';

// Accuracy varies between evaluations by more than the sampling error.
const AGREEING = 3;
// Two-sided, 95 % confidence.
const Z = 1.96;

/** Returns a sentence that compares the runs so far; '' if there is nothing to compare. */
export function verdictOf({ runs, settings, held, words }: PageState): string {
  const latest = (run: RunState) => run.evaluations.at(-1)?.iteration ?? 0;
  if (runs.length < 2 || runs.some((run) => latest(run) === 0)) return '';
  const going = runs.filter(({ ended }) => !ended);
  const iteration = going.length > 0 ? Math.min(...going.map(latest)) : Math.max(...runs.map(latest));
  const behind = going.filter((run) => latest(run) === iteration);
  if (behind.length < going.length) return VERDICT.behind(behind.map(({ method }) => method));
  const begun = (run: RunState) => begunAt(run, settings);
  const judged = runs.filter((run) => begun(run) !== undefined);
  if (judged.length < 2)
    return runs.some((run) => run.method === 'pada' && begun(run) === undefined)
      ? VERDICT.unweighted(settings.updateSteps)
      : VERDICT.unlabelled(settings.pseudoFrom);
  const rounds = roundsOf(judged, Math.max(...judged.map((run) => begun(run)!)));
  if (rounds.length < AGREEING) return VERDICT.early(iteration);
  const now = rounds.at(-1)!;
  const ranked = [...now.keys()].sort((a, b) => now[b]!.accuracy - now[a]!.accuracy);
  const [best, worst] = [ranked[0]!, ranked.at(-1)!];
  const inAll = (shareOf: (evaluation: Evaluation) => number, more: number, less: number) =>
    rounds.every((round) => exceeds(shareOf(round[more]!), shareOf(round[less]!), round[more]!.count));
  const methods = judged.map(({ method }) => method);
  if (!inAll(({ accuracy }) => accuracy, best, worst)) return VERDICT.equal(iteration, now[best]!.count, methods);
  const absent = (evaluation: Evaluation) => absentShare(evaluation, held);
  const scores = ranked.map((i) => {
    const { method, iteration: done, ended } = judged[i]!;
    return { method, accuracy: now[i]!.accuracy, ...(ended && done < iteration && { ended: done }) };
  });
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

/** Returns the iteration from which on a run does what its name says; undefined before. */
function begunAt({ method, weightedSince, iteration }: RunState, { pseudoFrom }: Settings): number | undefined {
  // Until its first class weights PADA weighs all classes equally, as DANN does.
  if (method === 'pada') return weightedSince;
  return method !== 'self-training' ? 0 : iteration > pseudoFrom ? pseudoFrom : undefined;
}

/** Returns the latest evaluations, after an iteration, for which every run has one. A run that ended earlier keeps its last. */
function roundsOf(runs: readonly RunState[], since: number): Evaluation[][] {
  const at = ({ evaluations, ended }: RunState, wanted: number) =>
    evaluations.find(({ iteration }) => iteration === wanted) ??
    (ended && evaluations.at(-1)!.iteration < wanted ? evaluations.at(-1) : undefined);
  const longest = runs.reduce((a, b) => (b.iteration > a.iteration ? b : a));
  return longest.evaluations
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
