// Analyses how a trained model sees two domains: how far apart their features are, how they lie in the plane, and its mistakes. It needs
// nothing of Node, because the page does the same.
import { aDistance } from '../../adaptation/aDistance.ts';
import { type HostData, type HostFeatures, type HostImages, isFeatures, labelsOf } from '../../data/host.ts';
import { take } from '../../data/subset.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Classifier } from '../../models/classifier.ts';
import { argmax } from '../../ops/argmax.ts';
import { Random } from '../../random.ts';
import { tidy } from '../../tidy.ts';
import { evaluationOf, evaluationSet } from '../../train/evaluate.ts';
import type { Evaluation } from '../../train/events.ts';
import { type Predictions, predict } from '../../train/predict.ts';
import { outputsOf } from '../../train/scores.ts';
import type { Analysis } from './htmlReport.ts';

export interface AnalysisData {
  /** Examples whose features are compared. */
  source: HostData;
  target: HostData;
  /** Labelled examples for accuracies and mistakes. */
  sourceTest: HostData | undefined;
  targetTest: HostData | undefined;
  numClasses: number;
}

export interface AnalysisOptions {
  /** Most examples per domain whose features are compared. */
  examples: number;
  seed: number;
  /** Called while UMAP runs. */
  onEpoch?(done: number, total: number): void;
}

/** The result of an analysis. */
export interface Findings extends Omit<Analysis, 'mistakes'> {
  /** The wrong predictions for the target that are most probable, the most probable first; null without labels or mistakes. */
  mistakes: { images: HostImages; predictions: { label: number; probability: number }[] } | null;
}

const MOST_MISTAKES = 24;

/** Analyses a model. The seed chooses the examples, and what A-distance and UMAP draw at random. */
export async function analyseModel(
  gpu: Gpu,
  model: Classifier,
  data: AnalysisData,
  { examples, seed, onEpoch }: AnalysisOptions,
): Promise<Findings> {
  const source = await featuresOf(gpu, model, sampled(data.source, examples, seed));
  const target = await featuresOf(gpu, model, sampled(data.target, examples, seed));
  const testedOnSource = await test(gpu, model, data.sourceTest);
  const testedOnTarget = await test(gpu, model, data.targetTest);
  // UMAP is large, so only an analysis loads it.
  const { inPlane } = await import('./umap.ts');
  return {
    aDistance: aDistance(source.vectors, target.vectors, { seed }),
    points: {
      sources: source.vectors.count,
      ...inPlane([source.vectors, target.vectors], seed, onEpoch),
      label: [...source.labels, ...target.labels],
      prediction: [...source.predictions, ...target.predictions],
    },
    source: testedOnSource && evaluate(testedOnSource, data.numClasses),
    target: testedOnTarget && evaluate(testedOnTarget, data.numClasses),
    mistakes: testedOnTarget && mistakesOf(testedOnTarget),
  };
}

/** Returns at most `n` examples, drawn at random, in their order. */
export function sampled<Data extends HostData>(data: Data, n: number, seed: number): Data {
  if (data.count <= n) return data;
  return take(data, [...new Random(seed).permutation(data.count).slice(0, n).sort()]);
}

interface Features {
  vectors: HostFeatures;
  predictions: Uint32Array;
  labels: (number | null)[];
}

async function featuresOf(gpu: Gpu, model: Classifier, examples: HostData): Promise<Features> {
  const data = evaluationSet(gpu, examples, model, { labelled: false, label: 'examples' });
  const { logits, features } = await outputsOf(data, model).finally(() => data.dispose());
  const classes = tidy(() => argmax(logits));
  try {
    const vectors = { features: await features.read(), count: examples.count, dim: features.shape[1]! };
    const labels = examples.labels ? [...labelsOf(examples)] : new Array<null>(examples.count).fill(null);
    return { vectors, predictions: await classes.readU32(), labels };
  } finally {
    for (const x of [logits, features, classes]) x.dispose();
  }
}

type Tested = Predictions & { examples: HostData; truths: Uint32Array };

async function test(gpu: Gpu, model: Classifier, examples: HostData | undefined): Promise<Tested | null> {
  if (!examples?.labels) return null;
  return { examples, truths: labelsOf(examples), ...(await predict(gpu, { data: examples, model })) };
}

function evaluate({ labels, truths }: Tested, numClasses: number): Evaluation {
  const counts = new Uint32Array(numClasses ** 2);
  for (const [i, label] of labels.entries()) counts[truths[i]! * numClasses + label]!++;
  return evaluationOf(counts, numClasses);
}

function mistakesOf({ examples, labels, truths, probabilities }: Tested): Findings['mistakes'] {
  if (isFeatures(examples)) return null;
  const classes = probabilities.length / labels.length;
  const certainty = (i: number): number => probabilities[i * classes + labels[i]!]!;
  const places = Array.from(labels.keys())
    .filter((i) => labels[i] !== truths[i])
    .sort((a, b) => certainty(b) - certainty(a))
    .slice(0, MOST_MISTAKES);
  if (places.length === 0) return null;
  const predictions = places.map((i) => ({ label: labels[i]!, probability: certainty(i) }));
  return { images: take(examples, places), predictions };
}
