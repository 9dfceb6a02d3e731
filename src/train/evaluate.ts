import { noGrad } from '../autograd.ts';
import { checkOptions, checkValue, flag, type OptionChecks, text, wholeFrom } from '../checks/options.ts';
import { checkImages, type HostImages, ImageDataset } from '../data/dataset.ts';
import { DatasetPass } from '../data/datasetPass.ts';
import type { Compile } from '../gpu/compilation.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { SmallCnn } from '../models/smallCnn.ts';
import { confusionMatrix } from '../ops/confusionMatrix.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import type { Evaluation } from './events.ts';

const BATCH = 128;

interface EvaluatorOptions {
  /** Runs every op eagerly instead of captured steps. */
  eager?: boolean;
  /** Names the set in messages. */
  label?: string;
}

const known: OptionChecks<EvaluatorOptions> = { eager: flag, label: text };

/**
 * A labelled set on the GPU, to ask a model about again and again.
 *
 * @throws RangeError for a label that is not among the model's classes
 */
export class Evaluator {
  private readonly data: ImageDataset;
  private readonly label: string;
  private readonly counts: Tensor;
  private readonly pass: DatasetPass;

  constructor(
    gpu: Gpu,
    images: HostImages,
    private readonly model: SmallCnn,
    private readonly numClasses: number,
    options: EvaluatorOptions = {},
  ) {
    checkOptions('Evaluator', options, known);
    const { eager = false, label = 'test set' } = options;
    checkValue('Evaluator', 'numClasses', numClasses, wholeFrom(1));
    checkImages(label, images, true);
    const outside = images.labels!.findIndex((of) => of >= numClasses);
    if (outside >= 0)
      throw new RangeError(
        `${label}: image ${outside} has label ${images.labels![outside]}, but the model has ${numClasses} classes (0 to ${numClasses - 1}); leave such images out with selectClasses(images, classes), or train with a larger numClasses`,
      );
    this.label = label;
    this.data = new ImageDataset(gpu, images, BATCH, { labelled: true, label });
    this.counts = keep(tensor(gpu, new Uint32Array(numClasses * numClasses), [numClasses, numClasses], 'confusion'));
    const visit = ({ x, labels }: { x: Tensor; labels: Tensor | null }) =>
      noGrad(() => confusionMatrix(model.forward(x).logits, labels!, this.counts));
    this.pass = new DatasetPass(this.data, visit, { eager });
  }

  /** Compiles the kernels of an evaluation, so that the first one does not wait for them. All is recorded before this returns. */
  prepare(): Promise<void> {
    return this.prepareBy();
  }

  /** @internal {@link prepare}, whose kernels are compiled by `compile`. */
  prepareBy(compile?: Compile): Promise<void> {
    const restore = this.model.evalMode();
    try {
      return this.pass.prepare(compile);
    } finally {
      restore();
    }
  }

  /**
   * Evaluates the model as it is; one readback. The model is in eval mode meanwhile.
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
    const result = evaluation(await this.counts.readU32(), this.numClasses);
    const { count } = this.data;
    if (result.count === count) return result;
    // Labels have a class each, so only NaN is not counted.
    throw new Error(
      `${this.label}: the model's logits are NaN for ${count - result.count} of ${count} images, so it has no accuracy; train it again, with a lower learning rate`,
    );
  }

  dispose(): void {
    this.pass.dispose();
    this.counts.dispose();
    this.data.dispose();
  }
}

function evaluation(counts: Uint32Array, classes: number): Evaluation {
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
