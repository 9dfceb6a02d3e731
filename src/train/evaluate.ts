// Accuracy and confusion matrix of a model on a labelled set. The set stays on the GPU and the pass over it is captured, so a run can
// evaluate often.
import { noGrad } from '../autograd.ts';
import { anything, checkOptions, flag, type OptionChecks, text, wholeFrom } from '../checks/options.ts';
import { Dataset, datasetOf } from '../data/dataset.ts';
import { DatasetPass } from '../data/datasetPass.ts';
import { checkData, exampleShape, type HostData, labelsOf, nounOf } from '../data/host.ts';
import type { Compile } from '../gpu/compilation.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { type Model, mostRows } from '../models/model.ts';
import type { Module } from '../nn/module.ts';
import { confusionMatrix } from '../ops/confusionMatrix.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import type { Evaluation } from './events.ts';

// Examples at a time, if that many fit.
const BATCH = 128;

/** A network with logits, such as any {@link Model}. */
export type LogitsModel = Module<{ logits: Tensor }> & Pick<Model, 'geometry'>;

export interface EvaluatorOptions {
  /** Labelled examples. A {@link Dataset} stays the caller's. */
  data: HostData | Dataset;
  model: LogitsModel;
  /** Columns of the model's logits. */
  numClasses: number;
  /** Runs every op eagerly instead of captured steps. Default: false. */
  eager?: boolean;
  /** Names the set in messages. Default: 'test set'. */
  label?: string;
}

const checks: OptionChecks<EvaluatorOptions> = {
  data: anything,
  model: anything,
  numClasses: wholeFrom(1),
  eager: flag,
  label: text,
};

/**
 * Evaluates a model on a labelled set that stays on the GPU, as often as you call `run()`. Throws `RangeError` for a label
 * that is not among the model's classes.
 */
export class Evaluator {
  private readonly data: Dataset;
  private readonly given: HostData | Dataset;
  private readonly model: LogitsModel;
  private readonly numClasses: number;
  private readonly label: string;
  private readonly counts: Tensor;
  private readonly pass: DatasetPass;

  constructor(gpu: Gpu, options: EvaluatorOptions) {
    checkOptions('Evaluator', options, checks, ['data', 'model', 'numClasses']);
    const { data, model, numClasses, eager = false, label = 'test set' } = options;
    if (!(data instanceof Dataset)) checkLabels(data, numClasses, label);
    this.given = data;
    this.model = model;
    this.numClasses = numClasses;
    this.label = label;
    this.data = evaluationSet(gpu, data, model, { labelled: true, label });
    this.counts = keep(tensor(gpu, new Uint32Array(numClasses * numClasses), [numClasses, numClasses], 'confusion'));
    const visit = ({ x, labels }: { x: Tensor; labels: Tensor | null }) =>
      noGrad(() => confusionMatrix(model.forward(x).logits, labelled(labels, label), this.counts));
    this.pass = new DatasetPass(this.data, visit, { eager });
  }

  /** Compiles the kernels of an evaluation, so that the first `run()` does not wait for them. */
  prepare(): Promise<void> {
    return this.prepareBy();
  }

  /** @internal {@link prepare} with kernels compiled by `compile`. All work is recorded before this returns. */
  prepareBy(compile?: Compile): Promise<void> {
    const restore = this.model.evalMode();
    try {
      return this.pass.prepare(compile);
    } finally {
      restore();
    }
  }

  /**
   * Evaluates the model, in eval mode. One readback.
   *
   * @throws Error if a logit is NaN
   */
  async run(): Promise<Evaluation> {
    const restore = this.model.evalMode();
    try {
      write(this.counts, new Uint32Array(this.numClasses ** 2));
      await this.pass.run();
    } finally {
      restore();
    }
    const result = evaluationOf(await this.counts.readU32(), this.numClasses);
    const { count } = this.data;
    if (result.count === count) return result;
    // Every label of host data has a class, so only examples with NaN logits are missing.
    const or = this.given === this.data ? ', or their labels are not among its classes' : '';
    throw new Error(
      `${this.label}: the model's logits are NaN for ${count - result.count} of ${count} examples${or}, so it has no accuracy; train it again, with a lower learning rate`,
    );
  }

  dispose(): void {
    this.pass.dispose();
    this.counts.dispose();
    if (this.data !== this.given) this.data.dispose();
  }
}

function labelled(labels: Tensor | null, label: string): Tensor {
  if (labels) return labels;
  throw new TypeError(`${label}: its batches have no labels, which an evaluation needs`);
}

function checkLabels(data: HostData, numClasses: number, label: string): void {
  checkData(label, data, true);
  const labels = labelsOf(data);
  const outside = labels.findIndex((of) => of >= numClasses);
  if (outside < 0) return;
  const noun = nounOf(data);
  throw new RangeError(
    `${label}: ${noun.slice(0, -1)} ${outside} has label ${labels[outside]}, but the model has ${numClasses} classes (0 to ${numClasses - 1}); leave such ${noun} out with selectClasses(${noun}, classes), or train with a larger numClasses`,
  );
}

/** @internal Makes a data set whose batches a model can take, unless it is one already. */
export function evaluationSet(
  gpu: Gpu,
  data: HostData | Dataset,
  { geometry }: LogitsModel,
  options: { labelled: boolean; label: string },
): Dataset {
  if (data instanceof Dataset) return data;
  checkData(options.label, data, options.labelled);
  return datasetOf(gpu, data, Math.min(BATCH, mostRows(gpu, geometry, exampleShape(data))), options);
}

/** @internal Returns the figures of a confusion matrix [classes, classes], a row per true class. */
export function evaluationOf(counts: Uint32Array, classes: number): Evaluation {
  const confusion = Array.from({ length: classes }, (_, truth) => [
    ...counts.subarray(truth * classes, (truth + 1) * classes),
  ]);
  const right = confusion.map((row, c) => row[c]!);
  const totals = confusion.map((row) => row.reduce((a, n) => a + n, 0));
  const count = totals.reduce((a, n) => a + n, 0);
  return {
    accuracy: (100 * right.reduce((a, n) => a + n, 0)) / count,
    perClass: right.map((n, c) => (100 * n) / totals[c]!),
    confusion,
    count,
  };
}
