// A small classifier is trained on two examples at a time, which leaves a GPU nothing to do at once. So this runs on the host, in double
// precision.
import { checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkData, type HostFeatures } from '../data/host.ts';
import { Random } from '../random.ts';

export interface ADistanceOptions {
  /** Passes over the training examples. Default: 10. */
  trainingEpochs?: number;
  /** Chooses the examples that are held out, the order of the others, and the initial weights. Default: 0. */
  seed?: number;
}

const checks: OptionChecks<ADistanceOptions> = {
  trainingEpochs: /* @__PURE__ */ wholeFrom(1),
  seed: /* @__PURE__ */ wholeFrom(0),
};

const TRAINED = 0.8;
const FEWEST = 5;
const BATCH = 2;
const LR = 0.01;

/**
 * Measures how far apart the features of two domains are (TLlib `a_distance.calculate`; Ben-David et al., "Analysis of representations for
 * domain adaptation", NIPS 2006): 2 (1 - 2 error), with the error of a logistic classifier of the domains. It is trained on 80 % of the
 * examples (SGD, learning rate 0.01, batches of 2) and tested on the others. 0: the domains look alike to it; 2: it never errs. Chance
 * makes it slightly negative: its standard error is at most 2 / sqrt(n) if n examples are tested.
 *
 * @param source, target feature vectors, such as those of a model; as many of each as you have
 * @throws TypeError if they have different lengths
 * @throws RangeError for fewer than 5 of a domain
 */
export function aDistance(source: HostFeatures, target: HostFeatures, options: ADistanceOptions = {}): number {
  checkData('aDistance: source', source, false);
  checkData('aDistance: target', target, false);
  checkOptions('aDistance', options, checks);
  const { trainingEpochs = 10, seed = 0 } = options;
  const { dim } = source;
  if (target.dim !== dim)
    throw new TypeError(
      `aDistance: source vectors have ${dim} numbers, but target vectors ${target.dim}; pass features of one model`,
    );
  for (const [name, { count }] of Object.entries({ source, target }))
    if (count < FEWEST)
      throw new RangeError(`aDistance: ${name} has ${count} examples; pass ${FEWEST} or more, better hundreds`);
  const random = new Random(seed);
  const order = random.permutation(source.count + target.count);
  const held = Math.floor(TRAINED * order.length);
  // Linear's initial weights, the bias last.
  const weights = Float64Array.from({ length: dim + 1 }, () => (2 * random.uniform() - 1) / Math.sqrt(dim));
  const isSource = (i: number): boolean => i < source.count;
  const vectorOf = (i: number): Float32Array => {
    const { features } = isSource(i) ? source : target;
    const at = (isSource(i) ? i : i - source.count) * dim;
    return features.subarray(at, at + dim);
  };
  const logit = (x: Float32Array): number => x.reduce((sum, v, k) => sum + v * weights[k]!, weights[dim]!);
  const trained = order.subarray(0, held);
  for (let epoch = 0; epoch < trainingEpochs; epoch++) {
    const places = random.permutation(held);
    for (let start = 0; start < held; start += BATCH) {
      const batch = Array.from(places.subarray(start, start + BATCH), (place) => trained[place]!);
      // The gradient of the binary cross-entropy by the logit is p - y; all are computed before the update.
      const errors = batch.map((i) => 1 / (1 + Math.exp(-logit(vectorOf(i)))) - Number(isSource(i)));
      for (const [k, i] of batch.entries()) {
        const step = (LR * errors[k]!) / batch.length;
        for (const [d, v] of vectorOf(i).entries()) weights[d]! -= step * v;
        weights[dim]! -= step;
      }
    }
  }
  const tested = order.subarray(held);
  const wrong = tested.filter((i) => logit(vectorOf(i)) >= 0 !== isSource(i)).length;
  return 2 * (1 - (2 * wrong) / tested.length);
}
