import { collectClassificationResults } from '../adaptation/collect.ts';
import { anything, checkOptions, type OptionChecks } from '../checks/options.ts';
import { type HostImages, ImageDataset } from '../data/dataset.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { argmax } from '../ops/argmax.ts';
import { softmax } from '../ops/softmax.ts';
import { tidy } from '../tidy.ts';
import type { LogitsModel } from './evaluate.ts';

const BATCH = 128;

export interface PredictOptions {
  /** Labels are ignored. */
  images: HostImages;
  model: LogitsModel;
}

const checks: OptionChecks<PredictOptions> = { images: anything, model: anything };

/** The predictions for n images. */
export interface Predictions {
  /** [n]: the most probable class of each image. */
  labels: Uint32Array;
  /** [n, numClasses], row by row. */
  probabilities: Float32Array;
}

/** Predicts the labels of images, in their order, with the model in eval mode. One readback. */
export async function predict(gpu: Gpu, options: PredictOptions): Promise<Predictions> {
  checkGpu('predict', gpu);
  checkOptions('predict', options, checks, ['images', 'model']);
  const data = new ImageDataset(gpu, options.images, BATCH, { labelled: false, label: 'images' });
  const logits = await collectClassificationResults(data, options.model).finally(() => data.dispose());
  const [classes, softened] = tidy(() => [argmax(logits), softmax(logits)]);
  try {
    const [labels, probabilities] = await Promise.all([classes.readU32(), softened.read()]);
    return { labels, probabilities };
  } finally {
    for (const x of [logits, classes, softened]) x.dispose();
  }
}
