import { Tensor } from '../tensor.ts';

/** A network with modes: what `nn.Module` is, or anything alike. */
export interface ClassifierModule {
  forward(x: Tensor): Tensor | { logits: Tensor };
}

/** What class weights are taken from: a function from images to logits [n, C], or a network that gives them. */
export type Classifier = ((x: Tensor) => Tensor | { logits: Tensor }) | ClassifierModule;

/** One batch of a data loader: the images alone, or with anything beside them as `x` or as the first of a list. */
export type LoaderBatch = Tensor | { readonly x: Tensor } | readonly [Tensor, ...unknown[]];

/** Anything that gives batches each time it is walked: an array, a data set, an object that makes a generator anew, synchronous or not. */
export type DataLoader = Iterable<LoaderBatch> | AsyncIterable<LoaderBatch>;

/** Logits of a batch. */
export function classify(classifier: Classifier, x: Tensor): Tensor {
  const result = typeof classifier === 'function' ? classifier(x) : classifier.forward(x);
  return expectTensor('classifier: what it gives', 'logits' in result ? result.logits : result, '{logits}');
}

/** The images of a batch. */
export function imagesOf(batch: LoaderBatch): Tensor {
  const x = Array.isArray(batch) ? batch[0] : 'x' in batch ? batch.x : batch;
  return expectTensor('dataLoader: a batch', x, '{x} or [x, ...]');
}

function expectTensor(who: string, x: unknown, others: string): Tensor {
  if (x instanceof Tensor) return x;
  throw new TypeError(`${who} must be a Tensor or ${others} with one`);
}
