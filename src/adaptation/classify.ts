import { type Check, isObject } from '../checks/options.ts';
import { evaluate } from '../ops/shared/evaluation.ts';
import { Tensor } from '../tensor.ts';

/** A network: a `Module`, or any object with `forward`. */
export interface ClassifierModule {
  forward(x: Tensor): Tensor | { logits: Tensor };
}

/** A network, or a function from images to logits [n, C]. */
export type Classifier = ((x: Tensor) => Tensor | { logits: Tensor }) | ClassifierModule;

/** One batch of a data loader: images, `{ x: images }`, or `[images, ...]`. */
export type LoaderBatch = Tensor | { readonly x: Tensor } | readonly [Tensor, ...unknown[]];

/** Anything that gives its batches each time it is iterated: an array, a data set, an object with a generator function as iterator. */
export type DataLoader = Iterable<LoaderBatch> | AsyncIterable<LoaderBatch>;

/** @internal */
export const aDataLoader: Check = {
  wanted: 'an array of batches, a data set, or an object such as { [Symbol.asyncIterator]: generatorFunction }',
  holds: (value) => isObject(value) && (Symbol.iterator in value || Symbol.asyncIterator in value),
};

/** @internal */
export const aClassifier: Check = {
  wanted: 'a function or an object with forward',
  holds: (value) =>
    typeof value === 'function' || (isObject(value) && 'forward' in value && typeof value.forward === 'function'),
};

/** Returns the logits of a batch. Every module that the classifier calls is in eval mode, also inside a function. */
export function classify(classifier: Classifier, x: Tensor): Tensor {
  const result: unknown = evaluate(() => (typeof classifier === 'function' ? classifier(x) : classifier.forward(x)));
  const logits = isObject(result) && 'logits' in result ? result.logits : result;
  return expectTensor('classifier: its result', logits, '{ logits }');
}

/** Returns the images of a batch. */
export function imagesOf(batch: LoaderBatch): Tensor {
  const images = isObject(batch) && 'x' in batch ? batch.x : batch;
  return expectTensor('dataLoader: a batch', Array.isArray(batch) ? batch[0] : images, '{ x } or [x, ...]');
}

function expectTensor(who: string, x: unknown, others: string): Tensor {
  if (x instanceof Tensor) return x;
  throw new TypeError(`${who} must be a Tensor or ${others}`);
}
