import { argmax, columnMean, type Values } from './ops.ts';

// Selection without target labels, as METHODS and the papers define it. Probabilities are [n, C], a row per target example.

const EPS = 1e-5;
const meanOf = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const entropyOf = (p: readonly number[]): number => -p.reduce((sum, v) => sum + v * Math.log(v + EPS), 0);

function rowsOf({ shape: [n, cols], data }: Values): number[][] {
  return Array.from({ length: n! }, (_, r) => Array.from({ length: cols! }, (_, c) => data[r * cols! + c]!));
}

/** mean_j H(p_j) */
export const meanEntropy = (p: Values): number => meanOf(rowsOf(p).map(entropyOf));

/** H(mean_j p_j) - mean_j H(p_j) */
export const informationMaximisation = (p: Values): number => entropyOf([...columnMean(p).data]) - meanEntropy(p);

/** Soft neighbourhood density: mean_j H(q_j), q_j = softmax over i of <u_j, u_i> / T, with -1/T for i = j and u_j = p_j / |p_j|. */
export function snd(p: Values, { temperature = 0.05 } = {}): number {
  const u = rowsOf(p).map((row) => {
    const norm = Math.max(Math.hypot(...row), 1e-12);
    return row.map((v) => v / norm);
  });
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, c) => sum + v * b[c]!, 0);
  return meanOf(
    u.map((own, j) => {
      const weights = u.map((other, i) => Math.exp((i === j ? -1 : dot(own, other)) / temperature));
      const total = weights.reduce((sum, v) => sum + v, 0);
      return entropyOf(weights.map((v) => v / total));
    }),
  );
}

/** a_i = mean over the other runs j of the share of examples on which argmax_i = argmax_j */
export function agreements(runs: readonly Values[]): number[] {
  const labels = runs.map((p) => [...argmax(p).data]);
  return labels.map((own, i) => {
    const others = labels.filter((_, j) => j !== i);
    return meanOf(others.map((other) => meanOf(own.map((label, k) => Number(label === other[k])))));
  });
}

/** The run of lowest entropy among those with agreement >= max - margin, the first of equals. */
export function pickRun(agreement: readonly number[], entropy: readonly number[], margin: number): number {
  const least = Math.max(...agreement) - margin;
  const kept = agreement.flatMap((a, i) => (a >= least ? [i] : []));
  return kept.reduce((best, i) => (entropy[i]! < entropy[best]! ? i : best));
}

/**
 * Deep embedded validation: mean(r l) + eta mean(r) - eta, eta = -cov(r l, r) / var(r), of 0/1 errors l and density ratios r. The
 * covariances have ddof = 1.
 */
export function dev(errors: readonly number[], ratios: readonly number[]): number {
  const weighted = errors.map((l, i) => l * ratios[i]!);
  const [meanLoss, meanRatio] = [meanOf(weighted), meanOf(ratios)];
  const with1 = (of: (i: number) => number): number =>
    meanOf(ratios.map((_, i) => of(i))) * (ratios.length / (ratios.length - 1));
  const covariance = with1((i) => (weighted[i]! - meanLoss) * (ratios[i]! - meanRatio));
  const variance = with1((i) => (ratios[i]! - meanRatio) ** 2);
  const eta = variance > 0 ? -covariance / variance : 0;
  return meanLoss + eta * meanRatio - eta;
}
