// PADA's class weights, recomputed every few iterations by a pass of the classifier over all target images. The class that training loops
// use; classWeight.ts has the formula.
import { noGrad } from '../autograd.ts';
import { compilePending } from '../capture.ts';
import { type Check, checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { Dataset } from '../data/dataset.ts';
import { DatasetPass } from '../data/datasetPass.ts';
import type { Compile } from '../gpu/compilation.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { outsideCapture } from '../gpu/recording.ts';
import { checkState, type HostTensor, hostCount, type StateDict, type StatePlace } from '../nn/stateDict.ts';
import { domainWeights } from '../ops/domainWeights.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep, tidy } from '../tidy.ts';
import { aClassifier, aDataLoader, type Classifier, classify, type DataLoader, imagesOf } from './classify.ts';
import { ClassWeightAccumulator, type ClassWeightKind, classWeightChecks, raiseInto } from './classWeight.ts';
import type { DomainWeights } from './domainAdversarialLoss.ts';

export interface AutomaticUpdateOptions {
  /** Steps between two updates. */
  updateSteps: number;
  /** All target images, read at each update. Labels are ignored. */
  dataLoader: DataLoader;
  /** Network or function that returns logits [n, numClasses]. Modules that it calls are in eval mode meanwhile. */
  classifier: Classifier;
  numClasses: number;
  /** Temperature of the softmax. Default: 0.1. */
  temperature?: number;
  /** How mean predictions become weights; see {@link ClassWeightOptions.classWeights}. Default: 'mean'. */
  classWeights?: ClassWeightKind;
  /** With saturating weights, the share of the largest mean prediction from which on a class weighs 1. Default: 0.3. */
  share?: number;
  /** Least weight of a class in the cross-entropy: floor + (1 - floor) w. Default: 0. */
  floor?: number;
  /** The target's classes, if known. Only {@link AutomaticUpdateClassWeightModule.getPartialClassesWeight} needs them. */
  partialClassesIndex?: readonly number[];
  /** Runs the ops of each update eagerly instead of as captured steps. Default: false. */
  eager?: boolean;
}

const classes: Check = { wanted: 'an array of class numbers', holds: Array.isArray };
const checks: OptionChecks<AutomaticUpdateOptions> = {
  updateSteps: /* @__PURE__ */ wholeFrom(1),
  dataLoader: aDataLoader,
  classifier: aClassifier,
  numClasses: /* @__PURE__ */ wholeFrom(1),
  ...classWeightChecks,
  partialClassesIndex: classes,
  eager: flag,
};

/**
 * Class weights that follow the classifier (TLlib `AutomaticUpdateClassWeightModule`; Cao et al., ECCV 2018). They start as
 * ones. Every `updateSteps` steps they become the mean over the target of softmax(logits / T), divided by its largest
 * element, or saturating weights. Memory grows with the number of classes, not of images, and nothing is read back.
 *
 * In a training loop, first use the weights, then `await step()`, then update the classifier's parameters.
 */
export class AutomaticUpdateClassWeightModule {
  /** f32 [numClasses], overwritten in place at each update. */
  readonly classWeight: Tensor;
  /** The same with the floor; the same tensor if there is none. */
  private readonly raised: Tensor;
  private readonly accumulator: ClassWeightAccumulator;
  private readonly pass: DatasetPass | undefined;
  private count = 0;

  constructor(
    gpu: Gpu,
    private readonly options: AutomaticUpdateOptions,
  ) {
    const who = 'AutomaticUpdateClassWeightModule';
    checkGpu(who, gpu);
    checkOptions(who, options, checks, ['updateSteps', 'dataLoader', 'classifier', 'numClasses']);
    const { numClasses, temperature = 0.1, partialClassesIndex, dataLoader, eager = false } = options;
    const { classWeights, share, floor = 0 } = options;
    for (const index of partialClassesIndex ?? []) {
      if (Number.isSafeInteger(index) && index >= 0 && index < numClasses) continue;
      throw new RangeError(`${who}: partialClassesIndex has ${index}, but classes are 0 to ${numClasses - 1}`);
    }
    this.accumulator = new ClassWeightAccumulator(gpu, { numClasses, temperature, classWeights, share });
    const ones = (label: string) => keep(tensor(gpu, new Float32Array(numClasses).fill(1), undefined, label));
    this.classWeight = ones('class weight');
    this.raised = floor > 0 ? ones('raised class weight') : this.classWeight;
    if (dataLoader instanceof Dataset)
      this.pass = new DatasetPass(dataLoader, ({ x }) => this.add(x), {
        after: () => this.finish(),
        eager,
      });
  }

  /** Returns the weights and the number of steps. */
  stateDict(): Promise<StateDict> {
    const steps = hostCount(this.count);
    return outsideCapture('reading the state', async () => {
      const data = await this.classWeight.read();
      return new Map([
        ['weight', { shape: this.classWeight.shape, data }],
        ['steps', steps],
      ]);
    });
  }

  /** Loads a state. If it does not fit, one error lists every difference and nothing changes. */
  loadStateDict(state: ReadonlyMap<string, HostTensor>): void {
    const places = new Map<string, StatePlace>([
      ['weight', { shape: this.classWeight.shape, kind: 'float' }],
      ['steps', { shape: [], kind: 'count' }],
    ]);
    checkState('AutomaticUpdateClassWeightModule', places, state);
    write(this.classWeight, Float32Array.from(state.get('weight')!.data as Float32Array));
    this.raise();
    this.count = Number(state.get('steps')!.data[0]);
  }

  /**
   * Compiles the kernels of an update, so that the first update does not wait for them. Calls the classifier, but computes
   * nothing. Has no effect unless the loader is a data set on the GPU, because other batches are not known in advance.
   */
  prepare(): Promise<void> {
    return this.prepareBy();
  }

  /** @internal {@link prepare}, with kernels compiled by `compile`. */
  async prepareBy(compile?: Compile): Promise<void> {
    await this.pass?.prepare(compile);
  }

  /** Whether the next `step()` updates the weights. */
  get isDue(): boolean {
    return (this.count + 1) % this.options.updateSteps === 0;
  }

  /** Counts a step, and updates the weights if they are due. Resolves to whether it did, once the work is recorded. */
  step(): Promise<boolean> {
    return outsideCapture('a step of the class weights', async () => {
      const due = this.isDue;
      this.count++;
      if (due) await this.update();
      return due;
    });
  }

  /** Updates the weights now. If the loader or the classifier fails, the weights do not change. */
  update(): Promise<void> {
    return outsideCapture('an update of the class weights', async () => {
      try {
        await (this.pass ? this.pass.run() : this.iterate());
      } catch (error) {
        this.accumulator.reset();
        throw error;
      }
    });
  }

  /** Returns `weight` for `crossEntropy(logits, labels, { weight })`, with the floor: f32 [numClasses], owned by this module. */
  getClassWeightForCrossEntropyLoss(): Tensor {
    return this.raised;
  }

  /** Returns weights for {@link DomainAdversarialLoss}, f32 [n]: the class weight of each source image; for every target image their mean. */
  getClassWeightForAdversarialLoss(sourceLabels: Tensor): DomainWeights {
    return domainWeights(this.classWeight, sourceLabels);
  }

  /** Reads the mean weight of the target's classes, and of all others. Throws `TypeError` without `partialClassesIndex`. */
  getPartialClassesWeight(): Promise<{ partial: number; nonPartial: number }> {
    return outsideCapture('reading class weights', () => this.partialClassesWeight());
  }

  private async partialClassesWeight(): Promise<{ partial: number; nonPartial: number }> {
    const { partialClassesIndex: partial } = this.options;
    if (!partial) {
      throw new TypeError(
        'getPartialClassesWeight: the classes of the target are not known; pass partialClassesIndex to the AutomaticUpdateClassWeightModule',
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
    this.raised.dispose();
  }

  private async iterate(): Promise<void> {
    let batches = 0;
    for await (const batch of this.options.dataLoader) {
      tidy(() => this.add(imagesOf(batch)));
      await compilePending(this.classWeight.gpu);
      batches++;
    }
    if (batches === 0)
      throw new RangeError(
        'AutomaticUpdateClassWeightModule: the data loader gave no batch. A generator gives its batches only once; pass an object such as { [Symbol.asyncIterator]: generatorFunction }',
      );
    this.finish();
    await compilePending(this.classWeight.gpu);
  }

  private finish(): void {
    this.accumulator.finish(this.classWeight);
    this.raise();
  }

  private raise(): void {
    const { floor = 0 } = this.options;
    if (floor > 0) raiseInto(this.classWeight, floor, this.raised);
  }

  private add(x: Tensor): void {
    noGrad(() => this.accumulator.add(classify(this.options.classifier, x)));
  }
}
