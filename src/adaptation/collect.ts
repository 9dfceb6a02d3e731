import { noGrad } from '../autograd.ts';
import { compilePending } from '../capture.ts';
import { checkValue } from '../checks/options.ts';
import { outsideCapture } from '../gpu/recording.ts';
import { concat } from '../ops/concat.ts';
import type { Tensor } from '../tensor.ts';
import { tidy } from '../tidy.ts';
import { aClassifier, aDataLoader, type Classifier, classify, type DataLoader, imagesOf } from './classify.ts';

/**
 * Computes the logits of all images of a loader, in its order (TLlib `collect_classification_results`). Returns [n, C], for the
 * caller to dispose. Modules that the classifier calls are in eval mode. For class weights,
 * {@link AutomaticUpdateClassWeightModule} needs less memory.
 */
export const collectClassificationResults = (dataLoader: DataLoader, classifier: Classifier): Promise<Tensor> =>
  outsideCapture('a pass over a loader', () => collect(dataLoader, classifier));

async function collect(dataLoader: DataLoader, classifier: Classifier): Promise<Tensor> {
  checkValue('collectClassificationResults', 'dataLoader', dataLoader, aDataLoader);
  checkValue('collectClassificationResults', 'classifier', classifier, aClassifier);
  const parts: Tensor[] = [];
  try {
    for await (const batch of dataLoader) {
      parts.push(tidy(() => noGrad(() => classify(classifier, imagesOf(batch)))));
      await compilePending(parts[0]!.gpu);
    }
    if (parts.length === 0)
      throw new RangeError('collectClassificationResults: the loader gave no batch; pass at least one');
    return noGrad(() => concat(parts));
  } finally {
    for (const part of parts) part.dispose();
  }
}
