import { AutomaticUpdateClassWeightModule } from '../adaptation/automaticUpdate.ts';
import { diagnoseClassWeight } from '../adaptation/diagnostics.ts';
import { DomainAdversarialLoss } from '../adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../adaptation/gradientReversal.ts';
import { backward } from '../autograd.ts';
import { type CapturedStep, captureAll, runSteps } from '../capture.ts';
import { checkOptions, checkValue, flag } from '../checks/options.ts';
import { type HostImages, ImageDataset } from '../data/dataset.ts';
import { Sampler } from '../data/sampler.ts';
import { AnomalyError, detectAnomaly } from '../debug/anomaly.ts';
import { FiniteWatch, type NotFinite } from '../debug/finiteWatch.ts';
import { type TuneGemmOptions, tuneGemm } from '../gemm/tuning.ts';
import { type GemmVariants, gemmVariants } from '../gemm/variants.ts';
import { Compilation, type Compile, type CompileWatch } from '../gpu/compilation.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { SmallCnn } from '../models/smallCnn.ts';
import { accuracy } from '../ops/accuracy.ts';
import { add } from '../ops/add.ts';
import { crossEntropy } from '../ops/crossEntropy.ts';
import { scale } from '../ops/scale.ts';
import { sliceRows } from '../ops/sliceRows.ts';
import { InverseDecay } from '../optim/schedule.ts';
import { Sgd } from '../optim/sgd.ts';
import { Random } from '../random.ts';
import { empty, type Tensor, tensor } from '../tensor.ts';
import { keep, tidy } from '../tidy.ts';
import { asCheckpoint, type Checkpoint, loadState, type Stateful, stateOf } from './checkpoint.ts';
import { Evaluator } from './evaluate.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from './events.ts';
import { type IterationFigures, MetricsRing } from './metrics.ts';
import { NotFiniteError } from './notFinite.ts';
import { completeOptions, type TrainingOptions } from './options.ts';
import { setPrecision } from './precision.ts';
import { checkBatch, checkData, checkSameSize, standIn, type TrainingData } from './trainingData.ts';
import { differingVariants } from './variants.ts';

/**
 * One training run, an iteration at a time: `step()` as often as wanted, `metrics()` and `classWeight()` when there is
 * something to show. An iteration is two captured steps, forward with backward and the update, in one submit; where class
 * weights are due they are taken in between, as in TLlib's example.
 */
export class Training {
  readonly model: SmallCnn;
  readonly discriminator: DomainDiscriminator | null = null;
  private readonly adversarial: DomainAdversarialLoss | null = null;
  private readonly weights: AutomaticUpdateClassWeightModule | null = null;
  private readonly optimizer: Sgd;
  private readonly schedule: InverseDecay;
  private readonly sourceSampler: Sampler;
  private readonly targetSampler: Sampler;
  private readonly ring: MetricsRing;
  private readonly watch: FiniteWatch;
  private readonly none: Tensor;
  private readonly unknown: Tensor;
  private readonly owned: { dispose(): void }[] = [];
  private readonly variants: GemmVariants;
  private steps: CapturedStep<void>[] = [];
  private done = 0;
  /** The last figures that were read. */
  latest: IterationMetrics | undefined;

  private constructor(
    readonly gpu: Gpu,
    private readonly data: TrainingData,
    readonly options: TrainingOptions,
    private readonly looksAtOps: boolean,
  ) {
    const { method, batchSize, seed } = options;
    const { numClasses } = data;
    const random = new Random(seed);
    this.variants = gemmVariants(gpu);
    const own = <T extends { dispose(): void }>(thing: T): T => {
      this.owned.push(thing);
      return thing;
    };
    const source = own(new ImageDataset(gpu, data.source, batchSize, { label: 'source' }));
    const target = own(new ImageDataset(gpu, data.target, 2 * batchSize, { labelled: false, label: 'target' }));
    this.sourceSampler = own(new Sampler(source, batchSize, new Random(random.integer(2 ** 32))));
    this.targetSampler = own(new Sampler(target, batchSize, new Random(random.integer(2 ** 32))));
    this.model = own(new SmallCnn(gpu, { numClasses, imageSize: data.source.height, random }));
    const parameters = [...this.model.parameters()];
    if (method !== 'source-only') {
      this.discriminator = own(
        new DomainDiscriminator(gpu, { inFeature: this.model.featuresDim, hiddenSize: this.model.featuresDim, random }),
      );
      const { reversalAlpha: alpha, reversalIterations: maxIters } = options;
      const gradientReversal = new WarmStartGradientReverseLayer({ alpha, maxIters });
      this.adversarial = own(new DomainAdversarialLoss(this.discriminator, { gradientReversal }));
      parameters.push(...this.discriminator.parameters());
    }
    if (method === 'pada') {
      const { classWeightUpdateSteps: updateSteps, temperature } = options;
      const classifier = this.model;
      this.weights = own(
        new AutomaticUpdateClassWeightModule(gpu, {
          updateSteps,
          dataLoader: target,
          classifier,
          numClasses,
          temperature,
          eager: this.eager,
        }),
      );
    }
    const { lr, lrGamma: gamma, lrDecay: decay, momentum, weightDecay } = options;
    this.optimizer = own(new Sgd(parameters, { lr, momentum, weightDecay, nesterov: momentum > 0 }));
    this.schedule = new InverseDecay(this.optimizer, { lr, gamma, decay });
    this.ring = own(new MetricsRing(gpu));
    this.watch = own(new FiniteWatch(this.optimizer, this.parameterNames()));
    this.none = own(keep(tensor(gpu, [0], undefined, 'none')));
    this.unknown = own(keep(tensor(gpu, [Number.NaN], undefined, 'unknown')));
  }

  /**
   * Chooses the variants of the matrix products that trainings of such data and options consist of, as {@link tuneGemm}
   * does: on a training of its own, with made-up images, so nothing of yours is moved on. They hold for trainings that are
   * created on this Gpu afterwards.
   */
  static async tune(
    gpu: Gpu,
    data: TrainingData,
    options: Partial<TrainingOptions> = {},
    tuning: TuneGemmOptions = {},
  ): Promise<GemmVariants> {
    const complete = completeOptions(options);
    checkData(data, complete);
    checkBatch(gpu, data, complete);
    await setPrecision(gpu, complete);
    const training = new Training(gpu, standIn(data, complete), complete, false);
    try {
      return await tuneGemm(gpu, () => training.forwardBackward(), tuning);
    } finally {
      training.dispose();
    }
  }

  /**
   * Builds the networks, puts the data on the GPU and compiles the kernels.
   *
   * @param detectAnomaly looks at what every op computes: slow, the same bits; `step()` throws where one gives NaN or infinity
   */
  static async create(
    gpu: Gpu,
    data: TrainingData,
    options: Partial<TrainingOptions> = {},
    settings: { detectAnomaly?: boolean } = {},
  ): Promise<Training> {
    checkOptions<typeof settings>('Training.create', settings, { detectAnomaly: flag });
    const training = Training.begin(gpu, data, options, settings.detectAnomaly);
    try {
      await training.prepare();
      return training;
    } catch (error) {
      training.dispose();
      throw error;
    }
  }

  /** @internal {@link Training.create} of one that {@link prepare} has to make ready, and its caller to dispose where that fails. */
  static begin(gpu: Gpu, data: TrainingData, options: Partial<TrainingOptions>, looksAtOps = false): Training {
    checkGpu('training', gpu);
    const complete = completeOptions(options);
    checkData(data, complete);
    checkBatch(gpu, data, complete);
    return new Training(gpu, data, complete, looksAtOps);
  }

  /**
   * @internal
   * Compiles all kernels of the training, side by side: of its steps, its class weights, and its evaluations by these.
   *
   * @throws the reason of the watch's signal once it is aborted: then the training has no captured steps and runs its ops eagerly
   */
  async prepare(evaluators: readonly Evaluator[] = [], watch: CompileWatch = {}): Promise<void> {
    await setPrecision(this.gpu, this.options);
    const { compile } = new Compilation(this.gpu, watch);
    const results = await Promise.allSettled([
      this.captureSteps(compile),
      this.weights?.prepareBy(compile),
      ...evaluators.map((evaluator) => evaluator.prepareBy(compile)),
    ]);
    // Steps that were captured are held by then, to be disposed with the training.
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Iterations done. */
  get iteration(): number {
    return this.done;
  }

  /** Whether ops run eagerly instead of captured steps. */
  private get eager(): boolean {
    return this.options.eager || this.looksAtOps;
  }

  /** Does one iteration; resolves when it is recorded, without waiting for the GPU. */
  async step(): Promise<void> {
    this.sourceSampler.advance();
    if (this.adversarial) {
      this.targetSampler.advance();
      this.adversarial.gradientReversal.iterNum = this.done;
    }
    this.schedule.iteration = this.done;
    this.ring.advance(this.done);
    this.watch.advance(this.done);
    const due = this.weights && (this.done + 1) % this.options.classWeightUpdateSteps === 0;
    const [forwardBackward, update] = this.steps;
    if (!forwardBackward || !update) {
      await (this.looksAtOps ? this.examined() : this.anew());
    } else if (due) {
      forwardBackward.run();
      await this.weights!.step();
      update.run();
    } else {
      runSteps(forwardBackward, update);
      await this.weights?.step();
    }
    this.done++;
  }

  /** The figures of the iterations since the last call (the last 1,024 at most); one readback. */
  async metrics(): Promise<IterationMetrics[]> {
    const rows = await this.ring.since(this.done);
    this.latest = rows.at(-1) ?? this.latest;
    return rows;
  }

  /** Finds the first loss of `rows`, gradient or parameter that is NaN or infinite; undefined if there is none. One readback. */
  async firstNotFinite(rows: readonly IterationMetrics[]): Promise<NotFinite | undefined> {
    const inNetwork = await this.watch.first();
    const row = rows.find(({ classLoss, transferLoss }) => !Number.isFinite(classLoss + transferLoss));
    // A loss comes before its gradients.
    if (!row || row.iteration > (inNetwork?.iteration ?? Number.POSITIVE_INFINITY)) return inNetwork;
    return { iteration: row.iteration, what: Number.isFinite(row.classLoss) ? 'transfer loss' : 'class loss' };
  }

  /** The class weights as they are, with diagnostics; one readback. Ones, unless the method is `pada`. */
  async classWeight(): Promise<ClassWeightEvent> {
    const classWeight = this.weights
      ? [...(await this.weights.classWeight.read())]
      : new Array<number>(this.data.numClasses).fill(1);
    return { iteration: this.done, classWeight, ...diagnoseClassWeight(classWeight) };
  }

  /** All of it as it is when called, once the GPU has computed it: what {@link Training.restore} takes. */
  async state(): Promise<Checkpoint> {
    const { done: iteration, options, variants } = this;
    return { iteration, options, gemmVariants: variants, tensors: await stateOf(this.parts()) };
  }

  /**
   * Resumes from a checkpoint. With the same options and data, the bits are those of an unbroken training.
   *
   * @throws TypeError if it is of other data, classes or methods, or was computed with other variants of matrix products than this
   * training was created with
   */
  restore(checkpoint: Checkpoint): void {
    checkValue('restore', 'checkpoint', checkpoint, asCheckpoint);
    const { iteration, gemmVariants = {}, tensors } = checkpoint;
    const [other] = differingVariants(gemmVariants, this.variants).filter((of) => Object.hasOwn(gemmVariants, of));
    if (other)
      throw new TypeError(
        `restore: the checkpoint was computed with another variant of ${other}; setGemmVariants(gpu, checkpoint.gemmVariants) before the training is created`,
      );
    loadState(this.parts(), tensors);
    this.done = iteration;
    this.ring.restart(iteration);
    this.watch.reset();
  }

  /**
   * An evaluator of the model on a labelled set; the caller's to dispose.
   *
   * @param label names the set in messages
   * @throws RangeError for a label that is not among the model's classes
   * @throws TypeError for images of another size than the source's
   */
  evaluator(images: HostImages, label = 'test set'): Evaluator {
    checkSameSize(this.data.source, images, label);
    return new Evaluator(this.gpu, images, this.model, this.data.numClasses, { eager: this.options.eager, label });
  }

  /** Evaluates the model on a labelled set, once. */
  async evaluate(images: HostImages): Promise<Evaluation> {
    const evaluator = this.evaluator(images);
    try {
      return await evaluator.run();
    } finally {
      evaluator.dispose();
    }
  }

  dispose(): void {
    for (const thing of [...this.steps, ...this.owned.reverse()]) thing.dispose();
    this.steps = [];
    this.owned.length = 0;
  }

  /** The parts that have a state, by their names in a checkpoint. */
  private parts(): Record<string, Stateful> {
    const { model, discriminator, optimizer, weights, sourceSampler, targetSampler } = this;
    return {
      model,
      ...(discriminator && { discriminator }),
      optimizer,
      ...(weights && { classWeight: weights }),
      source: sourceSampler,
      target: targetSampler,
    };
  }

  private async captureSteps(compile: Compile): Promise<void> {
    const steps = await captureAll(this.gpu, [() => this.forwardBackward(), () => this.update()], compile);
    // Eagerly only what was compiled is of use.
    if (this.eager) for (const step of steps) step.dispose();
    else this.steps = steps;
  }

  private async anew(): Promise<void> {
    tidy(() => this.forwardBackward());
    await this.weights?.step();
    tidy(() => this.update());
  }

  /** An iteration whose every op is looked at, and then what the optimiser made of it. @throws NotFiniteError */
  private async examined(): Promise<void> {
    const { done: iteration } = this;
    try {
      await detectAnomaly(this.gpu, () => this.anew(), this.parameterNames());
    } catch (error) {
      throw error instanceof AnomalyError ? new NotFiniteError(iteration, error.anomaly.op, error) : error;
    }
    const updated = await this.watch.first();
    if (!updated) return;
    const how = `${updated.what} became NaN or infinite by the optimiser's step, while all ops gave finite numbers`;
    throw new NotFiniteError(iteration, updated.what, new Error(`${how}; try a lower learning rate`));
  }

  private forwardBackward(): void {
    this.optimizer.zeroGrad();
    const { loss, ...figures } = this.adversarial ? this.adversarialLosses(this.adversarial) : this.sourceLosses();
    backward(loss);
    this.ring.store(figures);
  }

  private update(): void {
    this.optimizer.step();
    this.watch.look();
  }

  private parameterNames(): Map<Tensor, string> {
    const { model, discriminator } = this;
    const names = new Map<Tensor, string>();
    for (const [name, parameter] of model.namedParameters()) names.set(parameter, name);
    for (const [name, parameter] of discriminator?.namedParameters() ?? [])
      names.set(parameter, `discriminator.${name}`);
    return names;
  }

  private sourceLosses(): IterationFigures & { loss: Tensor } {
    const { x, labels } = this.sourceSampler.batch();
    const { logits } = this.model.forward(x);
    const loss = crossEntropy(logits, labels!);
    return {
      loss,
      classLoss: loss,
      transferLoss: this.none,
      classAccuracy: accuracy(logits, labels!),
      domainAccuracy: this.unknown,
    };
  }

  private adversarialLosses(adversarial: DomainAdversarialLoss): IterationFigures & { loss: Tensor } {
    // Both domains go through the network as one batch, and share its batch statistics.
    const { batchSize: n, tradeOff } = this.options;
    const { height, width } = this.data.source;
    const x = empty(this.gpu, [2 * n, 1, height, width], 'f32', 'images');
    const { labels } = this.sourceSampler.batch(x);
    this.targetSampler.batch(x, n);
    const { logits, features } = this.model.forward(x);
    const sourceLogits = sliceRows(logits, 0, n);
    const weight = this.weights?.getClassWeightForCrossEntropyLoss();
    // A batch of classes that the target does not have teaches nothing: its loss is 0, not 0 / 0.
    const classLoss = crossEntropy(sourceLogits, labels!, weight && { weight, weightless: 0 });
    const transferLoss = adversarial.forwardBatch(features, n, this.weights?.getClassWeightForAdversarialLoss(labels!));
    return {
      loss: add(classLoss, scale(transferLoss, tradeOff)),
      classLoss,
      transferLoss,
      classAccuracy: accuracy(sourceLogits, labels!),
      domainAccuracy: adversarial.domainDiscriminatorAccuracy!,
    };
  }
}
