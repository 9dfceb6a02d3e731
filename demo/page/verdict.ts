// The sentence under the scores. It compares trainings only where that is fair: at the same iterations, in several
// evaluations that agree, and by more than the number of test images can tell apart.
import type { Evaluation } from '../../src/train/events.ts';
import type { Story, Track } from './state.ts';
import { count, listed, NAMES, percent, strayShare } from './words.ts';

// Accuracy varies from one evaluation to the next by more than the sample explains.
const AGREEING = 3;
// Two-sided, at 95 %.
const Z = 1.96;

/** Returns what can be said of the trainings so far, in a sentence; '' if there is nothing to compare. */
export function verdictOf({ tracks, settings }: Story): string {
  const latest = tracks.map(({ evaluations }) => evaluations.at(-1)?.iteration ?? 0);
  if (tracks.length < 2 || latest.includes(0)) return '';
  const iteration = Math.min(...latest);
  const behind = tracks.filter((_, i) => latest[i] === iteration);
  if (behind.length < tracks.length)
    return `${namesOf(behind)} ${behind.length > 1 ? 'have' : 'has'} to catch up before they can be compared.`;
  // Until its first class weights PADA weighs all classes alike, as DANN does.
  const judged = tracks.filter(({ method, weighted }) => method !== 'pada' || weighted !== undefined);
  if (judged.length < 2)
    return `PADA takes its first class weights after ${count(settings.updateSteps)} iterations; until then it trains as DANN does.`;
  const after = `After ${count(iteration)} iterations`;
  const rounds = roundsOf(judged);
  if (rounds.length < AGREEING) return `${after} it is too early to compare.`;
  const now = rounds.at(-1)!;
  const ranked = [...now.keys()].sort((a, b) => now[b]!.accuracy - now[a]!.accuracy);
  const [best, worst] = [ranked[0]!, ranked.at(-1)!];
  const inAll = (shareOf: (evaluation: Evaluation) => number, more: number, less: number) =>
    rounds.every((round) => exceeds(shareOf(round[more]!), shareOf(round[less]!), round[more]!.count));
  if (!inAll(({ accuracy }) => accuracy, best, worst))
    return `${after} ${count(now[best]!.count)} test images show no clear difference between ${namesOf(judged)}.`;
  const astray = (evaluation: Evaluation) => strayShare(evaluation, settings.digits);
  const reads = ranked.map((i) => `${NAMES[judged[i]!.method]} reads ${percent(now[i]!.accuracy)}`).join(', ');
  const takes = `${NAMES[judged[worst]!.method]} takes ${percent(astray(now[worst]!))} for digits that are not there`;
  return `${after} ${reads}${inAll(astray, worst, best) ? `; ${takes}` : ''}.`;
}

/** The latest evaluations at iterations that all tracks were evaluated at, since PADA has class weights. */
function roundsOf(tracks: readonly Track[]): Evaluation[][] {
  const since = Math.max(...tracks.map(({ weighted = 0 }) => weighted));
  const at = (track: Track, wanted: number) => track.evaluations.find(({ iteration }) => iteration === wanted);
  return tracks[0]!.evaluations
    .filter(({ iteration }) => iteration > since)
    .map(({ iteration }) => tracks.flatMap((track) => at(track, iteration)?.evaluation ?? []))
    .filter((round) => round.length === tracks.length)
    .slice(-AGREEING);
}

/**
 * Whether one share in percent of `n` images exceeds another one by more than chance explains, by the interval of
 * Agresti and Caffo (2000). Both networks classify the same images, so chance explains even less.
 */
function exceeds(more: number, less: number, n: number): boolean {
  const [p, q] = [more, less].map((share) => ((share / 100) * n + 1) / (n + 2)) as [number, number];
  return p - q > Z * Math.sqrt((p * (1 - p) + q * (1 - q)) / (n + 2));
}

const namesOf = (tracks: readonly Track[]): string => listed(tracks.map(({ method }) => NAMES[method]));
