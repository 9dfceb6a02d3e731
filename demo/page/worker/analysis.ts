// The analysis of a run. The worker loads it, with UMAP, once a visitor asks for it.
import { analyseModel, sampled } from '../../../src/cli/run/analysis.ts';
import { exampleShape, labelsOf } from '../../../src/data/host.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { SmallCnn } from '../../../src/models/smallCnn.ts';
import { type Mistake, POINTS, type RunAnalysis } from '../protocol.ts';
import type { RunData } from './images.ts';

// A slow adapter would take long for all source images.
const MOST_TESTED = 1000;
const MOST_MISTAKES = 12;

/** @param onEpoch called while UMAP runs, which takes most of the time */
export async function analyse(
  gpu: Gpu,
  model: SmallCnn,
  { data, seed, onEpoch }: { data: RunData; seed: number; onEpoch(done: number, total: number): void },
): Promise<Omit<RunAnalysis, 'iteration'>> {
  const { source, target, numClasses } = data.training;
  const sourceTest = sampled(source, MOST_TESTED, seed);
  const sets = { source, target, sourceTest, targetTest: data.test, numClasses };
  const { points, mistakes, ...found } = await analyseModel(gpu, model, sets, { examples: POINTS, seed, onEpoch });
  const { x, y, sources, label: labels, prediction: predictions } = points;
  return {
    ...{ ...found, sources, labels, predictions },
    points: Float32Array.from({ length: 2 * x.length }, (_, i) => (i % 2 === 0 ? x : y)[i >> 1]!),
    mistakes: mistakes ? mistakesOf(mistakes).slice(0, MOST_MISTAKES) : [],
  };
}

function mistakesOf({
  images,
  predictions,
}: NonNullable<Awaited<ReturnType<typeof analyseModel>>['mistakes']>): Mistake[] {
  const size = exampleShape(images).reduce((a, b) => a * b);
  const truths = labelsOf(images);
  return predictions.map(({ label: prediction, probability }, i) => ({
    pixels: Uint8Array.from(images.images.subarray(i * size, (i + 1) * size)),
    name: images.names?.[i] ?? null,
    truth: truths[i]!,
    ...{ prediction, probability },
  }));
}
