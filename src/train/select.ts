// Selection without target labels: which of several trained models is best on the target? Accuracy there is unknown, so each model
// is scored by its predictions, by the source's labels, and by how often it agrees with the other models. On nine digit tasks, lowest
// entropy by itself and soft neighbourhood density picked models that call everything one class, and source accuracy those that
// adapted least. Agreement first, entropy second, was never more than a point from the best model.
import { anything, atLeast, checkOptions, checkValue, type OptionChecks, text } from '../checks/options.ts';
import type { Dataset } from '../data/dataset.ts';
import { checkData, type HostData, labelsOf } from '../data/host.ts';
import { take } from '../data/subset.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import type { Model, Prediction } from '../models/model.ts';
import { argmax } from '../ops/argmax.ts';
import { gatherRows } from '../ops/gatherRows.ts';
import { softmax } from '../ops/softmax.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { tidy } from '../tidy.ts';
import { evaluationSet } from './evaluate.ts';
import { densityRatios, outputsOf, sampleOf, scoreTarget } from './scores.ts';

/** The scores of one model. Null: there is no source to compute it from. */
export interface Scores {
  name: string;
  /** Mean over the other models of the share of target examples for which both predict the same class, 0 to 1. Higher is better. */
  agreement: number;
  /** Mean entropy of the predictions for the target, in nats. Lower is better. */
  entropy: number;
  /** Entropy of the mean prediction minus the mean entropy, in nats. Higher is better. */
  informationMaximisation: number;
  /**
   * Soft neighbourhood density (Saito et al., "Tune it the Right Way", ICCV 2021) with temperature 0.05, over at most 2,048 target
   * examples. Higher is better.
   */
  snd: number;
  /** Risk by deep embedded validation (You et al., ICML 2019), of 0/1 errors with a logistic density ratio. Lower is better. */
  dev: number | null;
  /** Percent. Higher is better. */
  sourceAccuracy: number | null;
  /** u32 [n]: the predicted class of each target example. */
  labels: Uint32Array;
}

/** The names of the ways to choose. `agreement-entropy`, agreement first and entropy second, is the one to use. */
export const CRITERIA = [
  'agreement-entropy',
  'agreement',
  'entropy',
  'information-maximisation',
  'snd',
  'dev',
  'source-accuracy',
] as const;
/** A way to choose. */
export type Criterion = (typeof CRITERIA)[number];

export interface SelectorOptions {
  /** The target's training examples. Their labels are ignored. A {@link Dataset} stays the caller's. */
  target: HostData | Dataset;
  /** Source examples that the models were trained on. Without them there is no DEV. Their labels are ignored. */
  source?: HostData;
  /** Labelled source examples that the models were not trained on, for source accuracy and DEV. */
  sourceTest?: HostData;
}

export interface ChooseOptions {
  /** Models whose agreement is at most this much below the largest one are compared by entropy. Default: 0.02. */
  margin?: number;
}

const checks: OptionChecks<SelectorOptions> = { target: anything, source: anything, sourceTest: anything };
const chooseChecks: OptionChecks<ChooseOptions> = { margin: atLeast(0) };

/** The scores of all models, in the order they were added, and the index of the model that each criterion picks. */
export interface Selection {
  scores: Scores[];
  /** Null if the criterion has no scores. */
  picks: Record<Criterion, number | null>;
}

/**
 * Chooses among trained models without target labels. Add the models one by one; each may be disposed afterwards, as only its scores
 * and its predicted labels are kept.
 *
 *     const selector = new Selector(gpu, { target, source, sourceTest });
 *     for (const [name, model] of models) await selector.add(name, model);
 *     const { scores, picks } = selector.choose();
 *     const best = scores[picks['agreement-entropy']].name;
 */
export class Selector {
  private readonly added: Omit<Scores, 'agreement'>[] = [];
  private readonly data: SelectorOptions;
  private classes: number | undefined;

  constructor(
    private readonly gpu: Gpu,
    options: SelectorOptions,
  ) {
    checkGpu('Selector', gpu);
    checkSets('Selector', options);
    this.data = options;
  }

  /**
   * Scores a model, in eval mode.
   *
   * @param data the same examples as this model reads them, such as standardised by its own statistics. Default: the selector's
   * @throws TypeError if it has another number of classes than the models before
   * @throws Error if its logits are not finite
   */
  async add(name: string, model: Model, data: SelectorOptions = this.data): Promise<void> {
    checkValue('Selector.add', 'name', name, text);
    checkSets('Selector.add', data);
    const { target, source, sourceTest } = data;
    const { count } = this.data.target;
    if (target.count !== count)
      throw new TypeError(
        `Selector.add: the target has ${target.count} examples for ${name}, but ${count} for the selector; pass the same ones`,
      );
    const outputs = await this.outputs(model, target, 'target');
    try {
      const classes = outputs.logits.shape[1]!;
      this.classes ??= classes;
      if (classes !== this.classes)
        throw new TypeError(
          `Selector.add: ${name} has ${classes} classes, but the models before have ${this.classes}; compare models of one task`,
        );
      const p = tidy(() => softmax(outputs.logits));
      const scores = await scoreTarget(p).finally(() => p.dispose());
      if (!Number.isFinite(scores.entropy))
        throw new Error(`Selector.add: some logits of ${name} are not finite; leave it out, or train it again`);
      const tested = sourceTest && (await this.test(model, sourceTest, { source, target: outputs.features }));
      this.added.push({ name, ...scores, dev: null, sourceAccuracy: null, ...tested });
    } finally {
      dispose(outputs);
    }
  }

  /**
   * Compares the models that were added.
   *
   * @throws RangeError if there are fewer than two
   */
  choose(options: ChooseOptions = {}): Selection {
    checkOptions('Selector.choose', options, chooseChecks);
    if (this.added.length < 2)
      throw new RangeError(
        `Selector.choose: there is nothing to choose from; add two or more models, not ${this.added.length}`,
      );
    const agreement = agreementsOf(this.added.map(({ labels }) => labels));
    const scores = this.added.map((one, i) => ({ ...one, agreement: agreement[i]! }));
    return { scores, picks: picksOf(scores, options) };
  }

  /** Returns source accuracy and, if there are training examples of the source, DEV. */
  private async test(
    model: Model,
    sourceTest: HostData,
    { source, target }: { source: HostData | undefined; target: Tensor },
  ): Promise<Pick<Scores, 'sourceAccuracy' | 'dev'>> {
    const outputs = await this.outputs(model, sourceTest, 'sourceTest');
    try {
      const predicted = tidy(() => argmax(outputs.logits));
      const labels = await predicted.readU32().finally(() => predicted.dispose());
      const truths = labelsOf(sourceTest);
      const errors = Array.from(labels, (label, i) => Number(label !== truths[i]));
      const sourceAccuracy = 100 * (1 - meanOf(errors));
      if (!source) return { sourceAccuracy, dev: null };
      const sampled = await this.outputs(model, take(source, [...sampleOf(source.count)]), 'source');
      const some = tidy(() => gatherRows(target, tensor(this.gpu, sampleOf(target.shape[0]!))));
      try {
        const features = { source: sampled.features, target: some, at: outputs.features };
        return { sourceAccuracy, dev: deepEmbeddedValidation(errors, await densityRatios(this.gpu, features)) };
      } finally {
        some.dispose();
        dispose(sampled);
      }
    } finally {
      dispose(outputs);
    }
  }

  private async outputs(model: Model, given: HostData | Dataset, label: string): Promise<Prediction> {
    const data = evaluationSet(this.gpu, given, model, { labelled: false, label });
    return outputsOf(data, model).finally(() => {
      if (data !== given) data.dispose();
    });
  }
}

function checkSets(who: string, sets: SelectorOptions): void {
  checkOptions(who, sets, checks, ['target']);
  if (sets.source) checkData('source', sets.source, false);
  if (sets.sourceTest) checkData('sourceTest', sets.sourceTest, true);
}

const dispose = ({ logits, features }: Prediction): void => {
  for (const x of [logits, features]) x.dispose();
};

const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;

/** @internal For each run, the mean share of examples on which another run predicts the same class. */
export const agreementsOf = (labels: readonly Uint32Array[]): number[] =>
  labels.map((own, i) => {
    const others = labels.filter((_, j) => j !== i);
    const equal = others.map((other) => own.reduce((n, label, k) => n + Number(label === other[k]), 0));
    return meanOf(equal) / own.length;
  });

type Compared = Pick<Scores, 'agreement' | 'entropy' | 'informationMaximisation' | 'snd' | 'dev' | 'sourceAccuracy'>;

/** @internal The index of the model that each criterion picks, the first of equals. */
export function picksOf(all: readonly Compared[], { margin = 0.02 }: ChooseOptions = {}): Selection['picks'] {
  const least = Math.max(...all.map(({ agreement }) => agreement)) - margin;
  const lowest = (score: (one: Compared) => number | null): number | null => {
    const scored = all.map(score);
    if (scored.includes(null)) return null;
    return scored.reduce<number>((best, value, i) => (value! < scored[best]! ? i : best), 0);
  };
  const negative = (value: number | null): number | null => value && -value;
  return {
    'agreement-entropy': lowest(({ agreement, entropy }) => (agreement >= least ? entropy : Number.POSITIVE_INFINITY)),
    agreement: lowest(({ agreement }) => -agreement),
    entropy: lowest(({ entropy }) => entropy),
    'information-maximisation': lowest(({ informationMaximisation }) => -informationMaximisation),
    snd: lowest(({ snd }) => -snd),
    dev: lowest(({ dev }) => dev),
    'source-accuracy': lowest(({ sourceAccuracy }) => negative(sourceAccuracy)),
  };
}

/**
 * @internal
 * The risk on the target: mean(r l) + eta mean(r) - eta, where the control variate eta = -cov(r l, r) / var(r) lowers its variance.
 *
 * @param errors l, 0 or 1 for each source example
 * @param ratios r, density of the target : density of the source there
 */
export function deepEmbeddedValidation(errors: readonly number[], ratios: Float64Array): number {
  const weighted = errors.map((l, i) => l * ratios[i]!);
  const [loss, ratio] = [meanOf(weighted), meanOf(ratios)];
  // The factor n / (n - 1) of both cancels.
  const covariance = meanOf(weighted.map((v, i) => (v - loss) * (ratios[i]! - ratio)));
  const variance = meanOf(ratios.map((r) => (r - ratio) ** 2));
  const eta = variance > 0 ? -covariance / variance : 0;
  return loss + eta * ratio - eta;
}
