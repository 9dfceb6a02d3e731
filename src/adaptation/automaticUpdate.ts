import { noGrad } from '../autograd.ts';
import { compilePending } from '../capture.ts';
import { ImageDataset } from '../data/dataset.ts';
import { DatasetPass } from '../data/datasetPass.ts';
import type { Compile } from '../gpu/compilation.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { domainWeights } from '../ops/domainWeights.ts';
import { checkState, type HostTensor, hostCount, type StateDict, type StatePlace } from '../stateDict.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep, tidy } from '../tidy.ts';
import { type Classifier, classify, type DataLoader, imagesOf } from './classify.ts';
import { ClassWeightAccumulator } from './classWeight.ts';
import type { DomainWeights } from './domainAdversarialLoss.ts';
import { evaluating } from './evaluating.ts';

export interface AutomaticUpdateOptions {
  /** Steps between two updates. */
  updateSteps: number;
  /** The target's images, all of them, walked at each update. Labels beside them are not looked at. */
  dataLoader: DataLoader;
  /** Gives logits [n, numClasses]. A network is in eval mode meanwhile; then each of its modules is as it was. */
  classifier: Classifier;
  numClasses: number;
  /** Temperature of the softmax. */
  temperature?: number;
  /** The classes that the target has, where that is known: for {@link AutomaticUpdateClassWeightModule.getPartialClassesWeight} alone. */
  partialClassesIndex?: readonly number[];
  /** Records every walk anew in place of replaying a captured one (data sets on the GPU). */
  eager?: boolean;
}

/**
 * Class weights that follow the classifier (TLlib `AutomaticUpdateClassWeightModule`; Cao et al., ECCV 2018): ones at
 * first; every `updateSteps` steps the mean over the target of softmax(logits / T), divided by its largest element. The
 * target streams by: memory grows with the classes, not with the images, and nothing is read back.
 *
 * In a training loop, use the weights of a step first, then `await step()`, then update the classifier's parameters.
 */
export class AutomaticUpdateClassWeightModule {
  /** f32 [numClasses], overwritten in place at each update. */
  readonly classWeight: Tensor;
  private readonly accumulator: ClassWeightAccumulator;
  private readonly pass: DatasetPass | undefined;
  private count = 0;

  constructor(
    gpu: Gpu,
    private readonly options: AutomaticUpdateOptions,
  ) {
    const { updateSteps, numClasses, temperature = 0.1, partialClassesIndex, dataLoader, eager = false } = options;
    if (!(Number.isSafeInteger(updateSteps) && updateSteps > 0)) {
      throw new RangeError(
        `AutomaticUpdateClassWeightModule: updateSteps must be a whole number > 0 but is ${updateSteps}`,
      );
    }
    for (const index of partialClassesIndex ?? []) {
      if (Number.isSafeInteger(index) && index >= 0 && index < numClasses) continue;
      throw new RangeError(
        `AutomaticUpdateClassWeightModule: partialClassesIndex has ${index}, but classes are 0 to ${numClasses - 1}`,
      );
    }
    this.accumulator = new ClassWeightAccumulator(gpu, { numClasses, temperature });
    this.classWeight = keep(tensor(gpu, new Float32Array(numClasses).fill(1), undefined, 'class weight'));
    if (dataLoader instanceof ImageDataset)
      this.pass = new DatasetPass(dataLoader, ({ x }) => this.add(x), {
        after: () => this.accumulator.finish(this.classWeight),
        eager,
      });
  }

  /** Weights and the count of steps, as they are when called. */
  async stateDict(): Promise<StateDict> {
    const steps = hostCount(this.count);
    return new Map([
      ['weight', { shape: this.classWeight.shape, data: await this.classWeight.read() }],
      ['steps', steps],
    ]);
  }

  /** Takes over a state; what does not fit is listed in one error, and nothing changes. */
  loadStateDict(state: ReadonlyMap<string, HostTensor>): void {
    const places = new Map<string, StatePlace>([
      ['weight', { shape: this.classWeight.shape, kind: 'float' }],
      ['steps', { shape: [], kind: 'count' }],
    ]);
    checkState('AutomaticUpdateClassWeightModule', places, state);
    write(this.classWeight, Float32Array.from(state.get('weight')!.data as Float32Array));
    this.count = Number(state.get('steps')!.data[0]);
  }

  /**
   * Compiles what an update takes, so that the first one does not wait for it; nothing is computed. It calls the classifier, with
   * its modules in eval mode until this returns (not until it resolves). Of data sets on the GPU alone: other loaders' batches are not known before.
   */
  prepare(): Promise<void> {
    return this.prepareBy();
  }

  /** @internal {@link prepare}, whose kernels are compiled by `compile`. */
  async prepareBy(compile?: Compile): Promise<void> {
    const restore = evaluating(this.options.classifier);
    try {
      return this.pass?.prepare(compile);
    } finally {
      restore();
    }
  }

  /** Counts a step, and updates the weights when it is time. Resolves to whether it did, once the work is recorded. */
  async step(): Promise<boolean> {
    this.classWeight.gpu.queue.refuseInCapture('a step of the class weights');
    const due = ++this.count % this.options.updateSteps === 0;
    if (due) await this.update();
    return due;
  }

  /** Updates the weights now. If the walk fails, they stay as they are. */
  async update(): Promise<void> {
    this.classWeight.gpu.queue.refuseInCapture('an update of the class weights');
    const restore = evaluating(this.options.classifier);
    try {
      await (this.pass ? this.pass.run() : this.walk());
    } catch (error) {
      this.accumulator.reset();
      throw error;
    } finally {
      restore();
    }
  }

  /** Weights for `crossEntropy(logits, labels, {weight})`: f32 [numClasses], the module's own tensor. */
  getClassWeightForCrossEntropyLoss(): Tensor {
    return this.classWeight;
  }

  /** Weights for {@link DomainAdversarialLoss}: each source image's class weight, and for every target image their mean; f32 [n]. */
  getClassWeightForAdversarialLoss(sourceLabels: Tensor): DomainWeights {
    return domainWeights(this.classWeight, sourceLabels);
  }

  /** Mean weight of the classes that the target has, and of the others. Needs `partialClassesIndex`. */
  async getPartialClassesWeight(): Promise<{ partial: number; nonPartial: number }> {
    const { partialClassesIndex: partial } = this.options;
    if (!partial) {
      throw new TypeError(
        'getPartialClassesWeight: which classes the target has is not known; pass partialClassesIndex to the AutomaticUpdateClassWeightModule',
      );
    }
    const weights = [...(await this.classWeight.read())];
    const mean = (part: number[]) => part.reduce((a, w) => a + w, 0) / part.length;
    return {
      partial: mean(weights.filter((_, c) => partial.includes(c))),
      nonPartial: mean(weights.filter((_, c) => !partial.includes(c))),
    };
  }

  dispose(): void {
    this.pass?.dispose();
    this.accumulator.dispose();
    this.classWeight.dispose();
  }

  private async walk(): Promise<void> {
    let batches = 0;
    for await (const batch of this.options.dataLoader) {
      tidy(() => this.add(imagesOf(batch)));
      await compilePending(this.classWeight.gpu);
      batches++;
    }
    if (batches === 0)
      throw new RangeError(
        'AutomaticUpdateClassWeightModule: the data loader gave no batch; it must give one each time (a generator is walked once)',
      );
    this.accumulator.finish(this.classWeight);
    await compilePending(this.classWeight.gpu);
  }

  private add(x: Tensor): void {
    noGrad(() => this.accumulator.add(classify(this.options.classifier, x)));
  }
}
