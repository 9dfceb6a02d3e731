// Losses in double precision, and the weights that PADA gives to classes and domains.

import { type Doubles, logSoftmax, scalar, softmax, softmaxColumnMean, type Values, zeros } from './ops.ts';

export type Reduction = 'mean' | 'sum' | 'none';

export interface CrossEntropyOptions {
  /** [C] */
  weight?: Values | undefined;
  /** [n] */
  sampleWeight?: Values | undefined;
  reduction?: Reduction;
  ignoreIndex?: number | undefined;
  labelSmoothing?: number | undefined;
}

/**
 * loss[r] = -weight[label] log softmax(logits)[r, label], smoothed as in PyTorch; the mean is divided by the sum of the labels'
 * weights. A weight per example multiplies its loss, and the mean is then over the examples. logits: [n, C], labels: [n]
 */
export function crossEntropy(logits: Values, labels: Values, options: CrossEntropyOptions = {}): Doubles {
  const { weight, sampleWeight, reduction = 'mean', ignoreIndex, labelSmoothing = 0 } = options;
  const [rows, cols] = logits.shape as [number, number];
  const logP = logSoftmax(logits).data;
  const loss = zeros([rows]);
  let sum = 0;
  let divisor = 0;
  for (let r = 0; r < rows; r++) {
    const label = labels.data[r]!;
    if (label === ignoreIndex) continue;
    const w = weight?.data[label] ?? 1;
    let smooth = 0;
    for (let c = 0; c < cols; c++) smooth -= (weight?.data[c] ?? 1) * logP[r * cols + c]!;
    const l = (labelSmoothing / cols) * smooth - (1 - labelSmoothing) * w * logP[r * cols + label]!;
    loss.data[r] = (sampleWeight?.data[r] ?? 1) * l;
    sum += loss.data[r]!;
    divisor += sampleWeight ? 1 : w;
  }
  if (reduction === 'none') return loss;
  return scalar(reduction === 'mean' ? sum / divisor : sum);
}

/** dlogits[r, c] = weight[label] (softmax(logits)[r, c] - (c = label)) / sum of the labels' weights, for the mean. */
export function crossEntropyBackward(logits: Values, labels: Values, weight?: Values): Doubles {
  const cols = logits.shape[1]!;
  const weightOf = (r: number) => weight?.data[labels.data[r]!] ?? 1;
  let divisor = 0;
  for (let r = 0; r < labels.data.length; r++) divisor += weightOf(r);
  const dlogits = softmax(logits);
  for (let i = 0; i < dlogits.data.length; i++) {
    const [r, c] = [Math.floor(i / cols), i % cols];
    dlogits.data[i] = (weightOf(r) * (dlogits.data[i]! - Number(c === labels.data[r]))) / divisor;
  }
  return dlogits;
}

/** The logarithm, at least -100, as in PyTorch's binary_cross_entropy. */
const clampedLog = (p: number): number => Math.max(Math.log(p), -100);

export interface BinaryCrossEntropyOptions {
  /** The shape of p. */
  weight?: Values | undefined;
  reduction?: Reduction;
}

/** loss[i] = -weight[i] (target[i] log p[i] + (1 - target[i]) log(1 - p[i])); the mean is over all elements. */
export function binaryCrossEntropy(p: Values, target: Values, options: BinaryCrossEntropyOptions = {}): Doubles {
  const { weight, reduction = 'mean' } = options;
  const loss = zeros(p.shape);
  let sum = 0;
  for (let i = 0; i < loss.data.length; i++) {
    const t = target.data[i]!;
    const l = t * clampedLog(p.data[i]!) + (1 - t) * clampedLog(1 - p.data[i]!);
    loss.data[i] = -(weight?.data[i] ?? 1) * l;
    sum += loss.data[i]!;
  }
  if (reduction === 'none') return loss;
  return scalar(reduction === 'mean' ? sum / loss.data.length : sum);
}

/** dp[i] = weight[i] (p[i] - target[i]) / max(p[i] (1 - p[i]), 1e-12) / n, for the mean. */
export function binaryCrossEntropyBackward(p: Values, target: Values, weight?: Values): Doubles {
  const dp = zeros(p.shape);
  for (let i = 0; i < dp.data.length; i++) {
    const v = p.data[i]!;
    const slope = (v - target.data[i]!) / Math.max(v * (1 - v), 1e-12);
    dp.data[i] = ((weight?.data[i] ?? 1) * slope) / dp.data.length;
  }
  return dp;
}

/** loss[i] = (x[i] - target[i])^2 */
export function mseLoss(x: Values, target: Values, { reduction = 'mean' }: { reduction?: Reduction } = {}): Doubles {
  const loss = zeros(x.shape);
  for (let i = 0; i < loss.data.length; i++) loss.data[i] = (x.data[i]! - target.data[i]!) ** 2;
  if (reduction === 'none') return loss;
  const sum = loss.data.reduce((a, b) => a + b, 0);
  return scalar(reduction === 'mean' ? sum / loss.data.length : sum);
}

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** [C], C the last size of x */
  posWeight?: Values | undefined;
}

/** loss[i] = weight[i] ((1 - target[i]) log(1 + exp x[i]) + posWeight target[i] log(1 + exp -x[i])) */
export function binaryCrossEntropyWithLogits(
  x: Values,
  target: Values,
  { weight, posWeight, reduction = 'mean' }: BinaryCrossEntropyWithLogitsOptions = {},
): Doubles {
  const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  const loss = zeros(x.shape);
  for (let i = 0; i < loss.data.length; i++) {
    const [v, t] = [x.data[i]!, target.data[i]!];
    const positive = posWeight ? posWeight.data[i % posWeight.data.length]! : 1;
    loss.data[i] = (weight?.data[i] ?? 1) * ((1 - t) * softplus(v) + positive * t * softplus(-v));
  }
  if (reduction === 'none') return loss;
  const sum = loss.data.reduce((a, b) => a + b, 0);
  return scalar(reduction === 'mean' ? sum / loss.data.length : sum);
}

export interface DomainLossOptions {
  /** How many of the rows, the first ones, are of the source. */
  sources: number;
  weights?: { source: Values; target: Values } | undefined;
  reduction?: Reduction;
}

/** The two halves of a batch as the source, labelled 1, and the target, labelled 0. */
function domains(p: Values, { sources, weights }: DomainLossOptions) {
  const data = Float64Array.from(p.data);
  const part = (from: number, to: number, label: number, weight?: Values) => {
    const shape = [to - from, 1];
    return {
      p: { shape, data: data.subarray(from, to) },
      target: { shape, data: new Float64Array(to - from).fill(label) },
      weight,
    };
  };
  return {
    source: part(0, sources, 1, weights?.source),
    target: part(sources, data.length, 0, weights?.target),
  };
}

/** 0.5 (binary cross entropy of the source with label 1 + that of the target with label 0), and the percentage told apart. p: [n, 1] */
export function domainLoss(p: Values, options: DomainLossOptions): { loss: Doubles; accuracy: Doubles } {
  const { source, target } = domains(p, options);
  const { reduction = 'mean' } = options;
  const ofSource = binaryCrossEntropy(source.p, source.target, { weight: source.weight, reduction });
  const ofTarget = binaryCrossEntropy(target.p, target.target, { weight: target.weight, reduction });
  const right = source.p.data.filter((v) => v >= 0.5).length + target.p.data.filter((v) => v < 0.5).length;
  return {
    loss: { shape: ofSource.shape, data: ofSource.data.map((l, i) => 0.5 * (l + ofTarget.data[i]!)) },
    accuracy: scalar((100 * right) / p.data.length),
  };
}

/** The gradient of the mean. */
export function domainLossBackward(p: Values, options: DomainLossOptions): Doubles {
  const { source, target } = domains(p, options);
  const halves = [source, target].map((part) => binaryCrossEntropyBackward(part.p, part.target, part.weight));
  return {
    shape: [...p.shape],
    data: Float64Array.from(
      halves.flatMap(({ data }) => [...data]),
      (g) => 0.5 * g,
    ),
  };
}

/** gamma = softmaxColumnMean(logits / T) divided by its largest element. logits: [n, C] -> [C] */
export function classWeight(logits: Values, { temperature = 0.1 } = {}): Doubles {
  const gamma = softmaxColumnMean(logits, { temperature });
  const largest = Math.max(...gamma.data);
  return { shape: gamma.shape, data: gamma.data.map((v) => v / largest) };
}

/** source[i] = classWeight[label[i]], target[i] = the mean of source. classWeight: [C], labels: [n] -> [n] each */
export function domainWeights(classWeight: Values, labels: Values): { source: Doubles; target: Doubles } {
  const n = labels.data.length;
  const [source, target] = [zeros([n]), zeros([n])];
  let sum = 0;
  for (let i = 0; i < n; i++) {
    source.data[i] = classWeight.data[labels.data[i]!] ?? Number.NaN;
    sum += source.data[i]!;
  }
  target.data.fill(sum / n);
  return { source, target };
}
