// The pieces of other methods of adaptation in double precision, with their gradients, written as their sources have them.

import { discriminator, passOf, type State, smallCnn } from './cnn.ts';
import { crossEntropy, crossEntropyBackward, domainLoss, domainLossBackward } from './losses.ts';
import {
  concat,
  type Doubles,
  mul,
  scalar,
  sigmoid,
  slice,
  softmax,
  softmaxBackward,
  softmaxColumnMean,
  type Values,
  zeros,
} from './ops.ts';
import type { Batch } from './pada.ts';

const sizesOf = ({ shape }: Values): [n: number, cols: number] => shape as [number, number];
const perClass = (s: Doubles, factor: number): Doubles => ({ shape: s.shape, data: s.data.map((v) => factor * v) });

/** w = min(1, s / (share max s))^2 with s = the mean over rows of softmax(logits / T). logits: [n, C] -> [C] */
export function saturatingClassWeight(logits: Values, { temperature = 1, share = 0.3 } = {}): Doubles {
  const s = softmaxColumnMean(logits, { temperature });
  const largest = Math.max(...s.data);
  return { shape: s.shape, data: s.data.map((v) => Math.min(1, v / (share * largest)) ** 2) };
}

/** y[r] = -sum_c p[r,c] log(p[r,c] + eps). p: [n, C] -> [n] */
export function entropy(p: Values, { eps = 1e-5 } = {}): Doubles {
  const [n, cols] = sizesOf(p);
  const y = zeros([n]);
  for (let i = 0; i < n * cols; i++) y.data[Math.floor(i / cols)]! -= p.data[i]! * Math.log(p.data[i]! + eps);
  return y;
}

/** dp[r,c] = -dy[r] (log(p[r,c] + eps) + p[r,c] / (p[r,c] + eps)) */
export function entropyBackward(p: Values, dy: Values, { eps = 1e-5 } = {}): Doubles {
  const cols = p.shape[1]!;
  const slope = (v: number) => Math.log(v + eps) + v / (v + eps);
  return {
    shape: [...p.shape],
    data: Float64Array.from(p.data, (v, i) => -dy.data[Math.floor(i / cols)]! * slope(v)),
  };
}

/** y[r] = sqrt(sum_c x[r,c]^2). x: [n, C] -> [n] */
export function rowNorm(x: Values): Doubles {
  const [n, cols] = sizesOf(x);
  const y = zeros([n]);
  for (let i = 0; i < n * cols; i++) y.data[Math.floor(i / cols)]! += x.data[i]! ** 2;
  return { shape: y.shape, data: y.data.map(Math.sqrt) };
}

/** Mean over rows of (|f| - stop(|f|) - delta)^2: its value is delta^2. */
export const adaptiveFeatureNorm = (delta: number): Doubles => scalar(delta ** 2);

/** df[r] = -2 delta / n f[r] / |f[r]|; 0 for a row of zeros. */
export function adaptiveFeatureNormBackward(f: Values, delta: number): Doubles {
  const [n, cols] = sizesOf(f);
  const norm = rowNorm(f).data;
  return {
    shape: [...f.shape],
    data: Float64Array.from(f.data, (v, i) => (v === 0 ? 0 : ((-2 * delta) / n) * (v / norm[Math.floor(i / cols)]!))),
  };
}

/** TLlib's MinimumClassConfusionLoss, with its confusion matrix, and the gradient of the logits: [n, C]. */
export function minimumClassConfusion(logits: Values, { temperature = 2.5 } = {}): { loss: Doubles; dlogits: Doubles } {
  const [n, cols] = sizesOf(logits);
  const p = softmax(logits, { temperature });
  const h = entropy(p).data;
  const total = h.reduce((sum, v) => sum + 1 + Math.exp(-v), 0);
  const weight = h.map((v) => (n * (1 + Math.exp(-v))) / total); // [n]
  const at = (i: number, j: number) => i * cols + j;
  const confusion = new Float64Array(cols * cols);
  for (let b = 0; b < n; b++)
    for (let i = 0; i < cols; i++)
      for (let j = 0; j < cols; j++) confusion[at(i, j)]! += weight[b]! * p.data[at(b, i)]! * p.data[at(b, j)]!;
  const rowSum = new Float64Array(cols);
  for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) rowSum[i]! += confusion[at(i, j)]!;
  // Broadcasting divides column j by the sum of row j.
  let loss = 0;
  const drowSum = new Float64Array(cols);
  const dconfusion = new Float64Array(cols * cols);
  for (let i = 0; i < cols; i++)
    for (let j = 0; j < cols; j++) {
      if (i === j) continue;
      loss += confusion[at(i, j)]! / rowSum[j]! / cols;
      dconfusion[at(i, j)] = 1 / rowSum[j]! / cols;
      drowSum[j]! -= confusion[at(i, j)]! / rowSum[j]! ** 2 / cols;
    }
  for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) dconfusion[at(i, j)]! += drowSum[i]!;
  const dp = zeros(p.shape);
  for (let b = 0; b < n; b++)
    for (let i = 0; i < cols; i++)
      for (let j = 0; j < cols; j++)
        dp.data[at(b, i)]! += weight[b]! * (dconfusion[at(i, j)]! + dconfusion[at(j, i)]!) * p.data[at(b, j)]!;
  return { loss: scalar(loss), dlogits: perClass(softmaxBackward(p, dp), 1 / temperature) };
}

/** - mean over rows of sum_k p[k]^alpha, and the gradient of the logits: [n, C]. */
export function alphaPower(logits: Values, alpha: number): { loss: Doubles; dlogits: Doubles } {
  const [n] = sizesOf(logits);
  const p = softmax(logits);
  const dp = { shape: p.shape, data: p.data.map((v) => (-alpha * v ** (alpha - 1)) / n) };
  const loss = p.data.reduce((sum, v) => sum - v ** alpha, 0) / n;
  return { loss: scalar(loss), dlogits: softmaxBackward(p, dp) };
}

/**
 * Per row, with q[k] = p[k] / (1 - p[label] + 1e-7): y = sum over k != label of q log(q + 1e-10) / log(C - 1), and 1 - p[label], and the
 * gradient of y. p: [n, C], labels: [n]
 */
export function complementEntropyRows(p: Values, labels: Values) {
  const [n, cols] = sizesOf(p);
  const [y, rest, dp] = [zeros([n]), zeros([n]), zeros(p.shape)];
  for (let r = 0; r < n; r++) {
    const own = r * cols + labels.data[r]!;
    rest.data[r] = 1 - p.data[own]!;
    const sum = rest.data[r]! + 1e-7;
    for (let i = r * cols; i < (r + 1) * cols; i++) {
      if (i === own) continue;
      const q = p.data[i]! / sum;
      const slope = (Math.log(q + 1e-10) + q / (q + 1e-10)) / Math.log(cols - 1);
      y.data[r]! += (q * Math.log(q + 1e-10)) / Math.log(cols - 1);
      dp.data[i]! += slope / sum;
      dp.data[own]! += (slope * q) / sum;
    }
  }
  return { y, rest, dp };
}

/** BA3US's loss: the mean of these rows, weighted by classWeight[label] (1 - p[label]), and the gradient of the logits: [n, C]. */
export function complementEntropy(logits: Values, labels: Values, classWeight: Values) {
  const cols = logits.shape[1]!;
  const p = softmax(logits);
  const { y, rest, dp } = complementEntropyRows(p, labels);
  const weight = rest.data.map((v, r) => classWeight.data[labels.data[r]!]! * v);
  const all = weight.reduce((a, w) => a + w, 0);
  const dloss = { shape: dp.shape, data: dp.data.map((g, i) => (weight[Math.floor(i / cols)]! * g) / all) };
  const loss = y.data.reduce((sum, v, r) => sum + (weight[r]! * v) / all, 0);
  return { loss: scalar(loss), dlogits: softmaxBackward(p, dloss) };
}

/** 1 - D, divided by its mean + 1e-5. probabilities of "source": [n, 1] -> [n, 1] */
export function importanceWeight({ shape, data }: Values): Doubles {
  const w = Float64Array.from(data, (d) => 1 - d);
  return mul({ shape, data: w }, scalar(1 / (w.reduce((a, v) => a + v, 0) / w.length + 1e-5)));
}

/** A term of a method's loss: its value, already weighted, and the gradients of the target's logits and of all features. */
interface Term {
  value: number;
  ofTargetLogits?: Doubles;
  ofFeatures?: Doubles;
}

/**
 * The losses of one iteration and the gradients of all parameters: the cross-entropy of the source, and the terms that `termsOf` computes
 * from the logits of the target [n, C] and the features of both domains [2n, F]. The state's names begin with `model.` and others.
 */
function iteration(
  state: State,
  batch: Batch,
  termsOf: (targetLogits: Doubles, features: Doubles, pass: ReturnType<typeof passOf>) => Term[],
) {
  const n = batch.labels.data.length;
  const pass = passOf(state);
  const { features, head } = smallCnn(pass, concat(batch.source, batch.target), { prefix: 'model.' });
  const sourceLogits = slice(head.y, 0, n);
  const classLoss = crossEntropy(sourceLogits, batch.labels).data[0]!;
  const terms = termsOf(slice(head.y, n, 2 * n), features.y, pass);
  const dlogits = zeros(head.y.shape);
  dlogits.data.set(crossEntropyBackward(sourceLogits, batch.labels).data);
  for (const { ofTargetLogits } of terms)
    for (const [i, g] of ofTargetLogits?.data.entries() ?? []) dlogits.data[dlogits.data.length / 2 + i]! += g;
  const dfeatures = head.backward(dlogits);
  for (const { ofFeatures } of terms) for (const [i, g] of ofFeatures?.data.entries() ?? []) dfeatures.data[i]! += g;
  features.backward(dfeatures);
  const loss = terms.reduce((sum, { value }) => sum + value, classLoss);
  return { loss, classLoss, gradients: pass.gradients };
}

/** weight times the mean entropy of the target's predictions. */
function entropyTerm(targetLogits: Doubles, weight: number): Term {
  const p = softmax(targetLogits);
  const n = p.shape[0]!;
  const each = { shape: [n], data: new Float64Array(n).fill(weight / n) };
  const value = entropy(p).data.reduce((sum, h) => sum + (weight * h) / n, 0);
  return { value, ofTargetLogits: softmaxBackward(p, entropyBackward(p, each)) };
}

const termOf = ({ loss, dlogits }: { loss: Doubles; dlogits: Doubles }, weight: number): Term => ({
  value: weight * loss.data[0]!,
  ofTargetLogits: perClass(dlogits, weight),
});

/** Losses of the target's predictions, by their weights. */
export interface TargetTerms {
  mcc?: number;
  mccTemperature?: number;
  alphaPower?: number;
  alpha?: number;
  entropy?: number;
}

const targetTerms = (targetLogits: Doubles, terms: TargetTerms): Term[] => [
  ...(terms.mcc ? [termOf(minimumClassConfusion(targetLogits, { temperature: terms.mccTemperature }), terms.mcc)] : []),
  ...(terms.alphaPower ? [termOf(alphaPower(targetLogits, terms.alpha ?? 6), terms.alphaPower)] : []),
  ...(terms.entropy ? [entropyTerm(targetLogits, terms.entropy)] : []),
];

/** Cross-entropy of the source, and losses of the target's predictions. */
export const targetLossIteration = (state: State, batch: Batch, terms: TargetTerms) =>
  iteration(state, batch, (targetLogits) => targetTerms(targetLogits, terms));

/** An iteration of AFN. */
export const afnIteration = (
  state: State,
  batch: Batch,
  { tradeOffNorm, delta, entropy }: { tradeOffNorm: number; delta: number; entropy: number },
) =>
  iteration(state, batch, (targetLogits, features) => {
    const n = features.shape[0]! / 2;
    const halves = [slice(features, 0, n), slice(features, n, 2 * n)];
    const gradient = concat(...halves.map((half) => adaptiveFeatureNormBackward(half, delta)));
    return [
      { value: 2 * tradeOffNorm * delta ** 2, ofFeatures: perClass(gradient, tradeOffNorm) },
      entropyTerm(targetLogits, entropy),
    ];
  });

/** An iteration of IWAN without dropout: `discriminator` weighs the source, `discriminator0` aligns the domains. */
export function iwanIteration(
  state: State,
  batch: Batch,
  { tradeOff, gamma, coefficient }: { tradeOff: number; gamma: number; coefficient: number },
) {
  let transferLoss = 0;
  const result = iteration(state, batch, (targetLogits, features, pass) => {
    const sources = batch.labels.data.length;
    /** A discriminator's probabilities, and the gradient of the features of its loss times `factor`. */
    const adversary = (prefix: string) => {
      const layer = discriminator(pass, features, prefix, { batchNorm: false });
      const p = sigmoid(layer.y);
      return {
        p,
        term: (factor: number, weights?: { source: Values; target: Values }) => {
          const { loss } = domainLoss(p, { sources, weights });
          const dp = domainLossBackward(p, { sources, weights }).data;
          const dz = { shape: p.shape, data: dp.map((g, i) => factor * g * p.data[i]! * (1 - p.data[i]!)) };
          return { value: loss.data[0]!, ofFeatures: layer.backward(dz) };
        },
      };
    };
    const first = adversary('discriminator.');
    const { data } = importanceWeight(slice(first.p, 0, sources));
    const weights = {
      source: { shape: [sources], data },
      target: { shape: [sources], data: new Float64Array(sources).fill(1) },
    };
    // The first discriminator does not change the features.
    const ofFirst = first.term(1.5 * tradeOff).value;
    const second = adversary('discriminator0.').term(tradeOff, weights);
    transferLoss = second.value;
    return [
      { value: 1.5 * tradeOff * ofFirst },
      { value: tradeOff * second.value, ofFeatures: perClass(second.ofFeatures, -coefficient) },
      entropyTerm(targetLogits, gamma),
    ];
  });
  return { ...result, transferLoss };
}
