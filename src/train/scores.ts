// Scores of a model's predictions that need no target labels. Everything is computed on the GPU; only numbers and the
// predicted labels are read back.
import rowsSource from '../../shaders/rows.wgsl';
import sndSource from '../../shaders/snd.wgsl';
import { backward, noGrad, zeroGrad } from '../autograd.ts';
import { capture, compilePending } from '../capture.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Model, Prediction } from '../models/model.ts';
import { Linear } from '../nn/index.ts';
import { add } from '../ops/add.ts';
import { argmax } from '../ops/argmax.ts';
import { binaryCrossEntropyWithLogits } from '../ops/binaryCrossEntropyWithLogits.ts';
import { columnMean } from '../ops/columnMean.ts';
import { concat } from '../ops/concat.ts';
import { div } from '../ops/div.ts';
import { gatherRows } from '../ops/gatherRows.ts';
import { log } from '../ops/log.ts';
import { mean } from '../ops/mean.ts';
import { mul } from '../ops/mul.ts';
import { evaluate } from '../ops/shared/evaluation.ts';
import { splitRows } from '../ops/shared/split.ts';
import { sqrt } from '../ops/sqrt.ts';
import { sum } from '../ops/sum.ts';
import { Adam } from '../optim/index.ts';
import { Random } from '../random.ts';
import { empty, type Tensor, tensor } from '../tensor.ts';
import { tidy } from '../tidy.ts';

const kernel = /* @__PURE__ */ defineKernel('snd', [rowsSource, sndSource], ['forward']);

const EPS = 1e-5;
const SND_TEMPERATURE = 0.05;

/** @internal Rows of a set that pairs of rows, or a fitted classifier, are computed from. */
export const SAMPLE = 2048;

/** @internal Returns the places of at most {@link SAMPLE} rows, always the same ones. */
export const sampleOf = (count: number): Uint32Array<ArrayBuffer> =>
  count <= SAMPLE
    ? Uint32Array.from({ length: count }, (_, i) => i)
    : new Random(0).permutation(count).slice(0, SAMPLE);

/** @internal The outputs of a model in eval mode for all examples, in order: logits [n, C] and features [n, F]. */
export async function outputsOf(data: Dataset, model: Model): Promise<Prediction> {
  const parts: Prediction[] = [];
  try {
    for (const { x } of data) {
      parts.push(tidy(() => noGrad(() => evaluate(() => model.forward(x)))));
      await compilePending(data.gpu);
    }
    return tidy(() => ({
      logits: concat(parts.map(({ logits }) => logits)),
      features: concat(parts.map(({ features }) => features)),
    }));
  } finally {
    for (const { logits, features } of parts) for (const part of [logits, features]) part.dispose();
  }
}

/** @internal Scores of the predictions for the target. */
export interface TargetScores {
  entropy: number;
  informationMaximisation: number;
  snd: number;
  labels: Uint32Array;
}

/** -sum p log(p + eps) over the last dimension. */
const negativeEntropy = (p: Tensor): Tensor => sum(mul(p, log(add(p, tensor(p.gpu, EPS)))), { dim: -1 });

/** @internal Scores probabilities [n, C]. One readback. */
export async function scoreTarget(p: Tensor): Promise<TargetScores> {
  const { gpu } = p;
  const rows = sampleOf(p.shape[0]!);
  const results = tidy(() => [
    mean(negativeEntropy(p)),
    negativeEntropy(columnMean(p)),
    mean(densities(rows.length < p.shape[0]! ? gatherRows(p, tensor(gpu, rows)) : p)),
    argmax(p),
  ]);
  try {
    const [each, all, density] = await Promise.all(results.slice(0, 3).map((x) => x.item()));
    const labels = await results[3]!.readU32();
    return { entropy: -each!, informationMaximisation: each! - all!, snd: density!, labels };
  } finally {
    for (const x of results) x.dispose();
  }
}

/** The soft neighbourhood density of each row of probabilities. */
function densities(p: Tensor): Tensor {
  const [rows, cols] = p.shape as [number, number];
  const u = div(p, sqrt(sum(mul(p, p), { dim: -1, keepdim: true })));
  const y = empty(p.gpu, [rows], 'f32', 'snd');
  const { constants, rowsAtOnce } = splitRows(p.gpu, rows);
  kernel.forward({ u, y }, { rows, cols, scale: 1 / SND_TEMPERATURE }, Math.ceil(rows / rowsAtOnce), { constants });
  return y;
}

const FIT = { steps: 400, lr: 0.02 };

/**
 * @internal
 * Fits a logistic classifier of the domains (source 1, target 0; L2 penalty 1/2 |w|^2 on the sum of the losses) to features, and
 * returns the density ratios target : source, (N_s / N_t) P(target) / P(source), at other features.
 *
 * @param source [N_s, F], target [N_t, F], at [n, F]
 */
export async function densityRatios(
  gpu: Gpu,
  features: { source: Tensor; target: Tensor; at: Tensor },
): Promise<Float64Array> {
  const { source, target, at } = features;
  const [sources, targets] = [source.shape[0]!, target.shape[0]!];
  const x = concat([source, target]);
  const isSource = tensor(
    gpu,
    Float32Array.from({ length: sources + targets }, (_, i) => Number(i < sources)),
    [sources + targets, 1],
  );
  const classifier = new Linear(gpu, { inFeatures: x.shape[1]!, outFeatures: 1, random: new Random(0) });
  const optimizer = new Adam(classifier.parameters(), { lr: FIT.lr, weightDecay: 1 / (sources + targets) });
  try {
    const step = await capture(gpu, () => {
      zeroGrad(classifier.parameters());
      backward(binaryCrossEntropyWithLogits(classifier.forward(x), isSource));
      optimizer.step();
    });
    for (let i = 0; i < FIT.steps; i++) step.run();
    step.dispose();
    const logits = noGrad(() => classifier.forward(at));
    const odds = await logits.read().finally(() => logits.dispose());
    return Float64Array.from(odds, (z) => (sources / targets) * Math.exp(-z));
  } finally {
    for (const held of [x, isSource, optimizer, classifier]) held.dispose();
  }
}
