import { noGrad } from '../autograd.ts';
import { compilePending } from '../capture.ts';
import { concat } from '../ops/concat.ts';
import type { Tensor } from '../tensor.ts';
import { tidy } from '../tidy.ts';
import { type Classifier, classify, type DataLoader, imagesOf } from './classify.ts';
import { evaluating } from './evaluating.ts';

/**
 * Logits of all images of a loader, in its order (TLlib `collect_classification_results`): [n, C], the caller's to dispose.
 * The classifier is in eval mode meanwhile. For class weights alone, {@link AutomaticUpdateClassWeightModule} needs less memory.
 */
export async function collectClassificationResults(dataLoader: DataLoader, classifier: Classifier): Promise<Tensor> {
  const parts: Tensor[] = [];
  const restore = evaluating(classifier);
  try {
    for await (const batch of dataLoader) {
      parts.push(tidy(() => noGrad(() => classify(classifier, imagesOf(batch)))));
      await compilePending(parts[0]!.gpu);
    }
    if (parts.length === 0)
      throw new RangeError('collectClassificationResults: the loader gave no batch; it must give one at least');
    return noGrad(() => concat(parts));
  } finally {
    restore();
    for (const part of parts) part.dispose();
  }
}
