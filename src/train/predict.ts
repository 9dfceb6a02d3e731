import { collectClassificationResults } from '../adaptation/collect.ts';
import { anything, checkOptions, type OptionChecks } from '../checks/options.ts';
import type { Dataset } from '../data/dataset.ts';
import type { HostData } from '../data/host.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { argmax } from '../ops/argmax.ts';
import { softmax } from '../ops/softmax.ts';
import { tidy } from '../tidy.ts';
import { evaluationSet, type LogitsModel } from './evaluate.ts';

export interface PredictOptions {
  /** Labels are ignored. */
  data: HostData | Dataset;
  model: LogitsModel;
}

const checks: OptionChecks<PredictOptions> = { data: anything, model: anything };

/** The predictions for n examples. */
export interface Predictions {
  /** [n]: the most probable class of each example. */
  labels: Uint32Array;
  /** [n, numClasses], row by row. */
  probabilities: Float32Array;
}

/** Predicts the labels of examples, in their order, with the model in eval mode. One readback. */
export async function predict(gpu: Gpu, options: PredictOptions): Promise<Predictions> {
  checkGpu('predict', gpu);
  checkOptions('predict', options, checks, ['data', 'model']);
  const data = evaluationSet(gpu, options.data, options.model, { labelled: false, label: 'data' });
  const logits = await collectClassificationResults(data, options.model).finally(() => {
    if (data !== options.data) data.dispose();
  });
  const [classes, softened] = tidy(() => [argmax(logits), softmax(logits)]);
  try {
    const [labels, probabilities] = await Promise.all([classes.readU32(), softened.read()]);
    return { labels, probabilities };
  } finally {
    for (const x of [logits, classes, softened]) x.dispose();
  }
}
