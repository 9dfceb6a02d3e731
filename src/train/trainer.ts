// One iteration of a method, and everything that it needs: networks, samplers, optimiser, schedule, metrics and a checkpoint of them all.
// `step()` does one iteration; `train()` in loop.ts calls it until the run ends. Begin with `step`, `forwardBackward` and `batches`.
import { diagnoseClassWeight } from '../adaptation/diagnostics.ts';
import { backward } from '../autograd.ts';
import { type CapturedStep, captureAll, runSteps } from '../capture.ts';
import { checkValue } from '../checks/options.ts';
import { type Batch, type Dataset, datasetOf } from '../data/dataset.ts';
import type { HostData } from '../data/host.ts';
import { Sampler } from '../data/sampler.ts';
import { AnomalyError, detectAnomaly } from '../debug/anomaly.ts';
import { firstNotFinite, type NotFinite, NotFiniteError } from '../debug/finiteWatch.ts';
import { Compilation, type Compile, type CompileWatch } from '../gpu/compilation.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Model, ModelFactory } from '../models/model.ts';
import { type SmallCnn, smallCnn } from '../models/smallCnn.ts';
import { Module } from '../nn/module.ts';
import type { Stateful } from '../nn/stateDict.ts';
import { slice } from '../ops/slice.ts';
import type { ParameterGroup } from '../optim/optimizer.ts';
import { InverseDecay } from '../optim/schedule.ts';
import { Sgd } from '../optim/sgd.ts';
import { Random } from '../random.ts';
import { empty, type Tensor } from '../tensor.ts';
import { tidy } from '../tidy.ts';
import { checkModel, featuresDimOf } from './checkModel.ts';
import { aCheckpoint, amountsOf, type Checkpoint, checkSameJitter, loadState, stateOf } from './checkpoint.ts';
import { drawBoth } from './drawBoth.ts';
import { Evaluator } from './evaluate.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from './events.ts';
import type { Batches, Method, Recipe } from './methods/method.ts';
import { MetricsRing } from './metrics.ts';
import {
  type CheckedSettings,
  checkExamples,
  checkNames,
  checkSettings,
  setPrecision,
  settingsChecks,
  type TrainerSettings,
  type TrainingOptions,
} from './options.ts';
import { PerDomain } from './perDomain.ts';

/**
 * Runs a method, one iteration per `step()`: draws one batch per domain, computes the method's losses and their gradients,
 * and updates the parameters. These are two captured steps in one submit, forward with backward and the update. If class
 * weights are due, they are refreshed between the two, as in TLlib's example.
 */
export class Trainer<M extends Model = SmallCnn> {
  readonly model: M;
  readonly gpu: Gpu;
  readonly method: Method;
  readonly options: TrainingOptions;
  /** The last metrics that were read. */
  latest: IterationMetrics | undefined;
  private readonly recipe: Recipe;
  /** The data sets of images that change at random. */
  private readonly jittered: Partial<Record<'sourceJitter' | 'targetJitter', Dataset & Stateful>>;
  private readonly sourceSampler: Sampler;
  private readonly targetSampler: Sampler | undefined;
  private readonly optimizer: Sgd;
  private readonly schedule: InverseDecay;
  private readonly ring: MetricsRing;
  /** The target without jitter. */
  private readonly target: Dataset | undefined;
  /** Forward with backward, the update, and forward with backward of the warm-up if there is one; empty if ops run eagerly. */
  private steps: CapturedStep<void>[] = [];
  private done = 0;

  private constructor(
    private readonly settings: CheckedSettings,
    model: M | ModelFactory<M>,
    /** Disposed with the trainer, the last first. */
    private readonly owned: { dispose(): void }[],
  ) {
    const { gpu, source, target, jitter, method, numClasses, shape, options } = settings;
    const own = <T extends { dispose(): void }>(thing: T): T => {
      owned.push(thing);
      return thing;
    };
    this.gpu = gpu;
    this.method = method;
    this.options = options;
    const { batchSize, seed, lr, lrGamma: gamma, lrDecay: decay, momentum, weightDecay } = options;
    const random = new Random(seed);
    const [sourceSeed, targetSeed] = [random.integer(2 ** 32), random.integer(2 ** 32)];
    // A data set that was given stays the caller's.
    const put = (data: HostData | Dataset, batchSize: number, labelled: boolean, label: string): Dataset => {
      const set = datasetOf(gpu, data, batchSize, { labelled, label });
      return set === data ? set : own(set);
    };
    const sourceData = put(source, batchSize, true, 'source');
    const targetData = target && put(target, 2 * batchSize, false, 'target');
    this.target = targetData;
    this.jittered = {
      ...(jitter.source && { sourceJitter: own(jitter.source.of(sourceData, sourceSeed)) }),
      ...(jitter.target && targetData && { targetJitter: own(jitter.target.of(targetData, targetSeed)) }),
    };
    const { sourceJitter = sourceData, targetJitter = targetData } = this.jittered;
    this.sourceSampler = own(new Sampler(sourceJitter, batchSize, new Random(sourceSeed)));
    this.targetSampler = targetJitter && own(new Sampler(targetJitter, batchSize, new Random(targetSeed)));
    this.model = model instanceof Module ? model : own(checkModel(model(gpu, { shape, numClasses, random })));
    const seen = options.batchNorm === 'separate' ? new PerDomain(this.model, batchSize) : this.model;
    this.recipe = method.begin({
      ...{ gpu, model: seen, featuresDim: featuresDimOf(this.model, settings), numClasses, random },
      // A method that does not use the target gets none.
      ...{ source: sourceJitter, target: targetData!, eager: this.eager },
      ...{ batchSize, iterations: options.iterations },
    });
    const { networks, state, classWeights } = this.recipe;
    for (const thing of Object.values({ ...networks, ...state, ...(classWeights && { classWeights }) })) own(thing);
    own({ dispose: () => this.recipe.dispose?.() });
    this.optimizer = own(new Sgd(this.parameterGroups(), { lr, momentum, weightDecay, nesterov: momentum > 0 }));
    this.schedule = new InverseDecay(this.optimizer, { lr, gamma, decay });
    this.ring = own(new MetricsRing(gpu));
  }

  /** Makes a trainer: puts the data on the GPU, makes the networks, and compiles all kernels. */
  static async create<M extends Model = SmallCnn>(settings: TrainerSettings<M>): Promise<Trainer<M>> {
    const trainer = Trainer.begin(settings);
    try {
      await trainer.prepare();
      return trainer;
    } catch (error) {
      trainer.dispose();
      throw error;
    }
  }

  /** @internal {@link create} without compiling: {@link prepare} comes next. */
  static begin<M extends Model = SmallCnn>(settings: TrainerSettings<M>): Trainer<M> {
    checkNames('Trainer', settings, settingsChecks);
    // M is SmallCnn unless the model says otherwise.
    const model = settings.model ?? (smallCnn as unknown as ModelFactory<M>);
    const checked = checkSettings(settings, model.geometry);
    const owned: { dispose(): void }[] = [];
    try {
      return new Trainer(checked, model, owned);
    } catch (error) {
      for (const thing of owned.reverse()) thing.dispose();
      throw error;
    }
  }

  /**
   * @internal
   * Compiles all kernels side by side: those of the steps, of the class weights, and of the given evaluators.
   *
   * @throws the reason of the watch's signal once it is aborted; then ops run eagerly
   */
  async prepare(evaluators: readonly Evaluator[] = [], watch: CompileWatch = {}): Promise<void> {
    await setPrecision(this.gpu, this.options);
    const { compile } = new Compilation(this.gpu, watch);
    const results = await Promise.allSettled([
      this.captureSteps(compile),
      this.recipe.classWeights?.prepareBy(compile),
      ...evaluators.map((evaluator) => evaluator.prepareBy(compile)),
    ]);
    // By now `steps` holds what was captured, to be disposed with the trainer.
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Iterations done. */
  get iteration(): number {
    return this.done;
  }

  /** Number of parameters that are trained, in all networks. */
  get parameterCount(): number {
    return [...this.parameterNames().keys()].reduce((n, { size }) => n + size, 0);
  }

  /**
   * Does one iteration. Resolves once the work is recorded, without waiting for the GPU.
   *
   * @returns whether the class weights were refreshed
   */
  async step(): Promise<boolean> {
    const { done: iteration, recipe } = this;
    const { classWeights } = recipe;
    const refreshes = classWeights?.isDue === true;
    for (const sampler of [this.sourceSampler, this.targetSampler]) sampler?.advance();
    recipe.advance?.(iteration);
    this.schedule.iteration = iteration;
    this.ring.advance(iteration);
    const [main, update, warmUp] = this.steps;
    const forwardBackward = this.warmsUp ? warmUp : main;
    if (!forwardBackward || !update) {
      await (this.settings.detectAnomaly ? this.checkedStep() : this.eagerStep());
    } else if (refreshes) {
      forwardBackward.run();
      await classWeights!.step();
      update.run();
    } else {
      runSteps(forwardBackward, update);
      await classWeights?.step();
    }
    this.done++;
    return refreshes;
  }

  /** Reads the metrics of the iterations since the last call, at most of the last 1,024. One readback. */
  async metrics(): Promise<IterationMetrics[]> {
    const rows = await this.ring.since(this.done);
    this.latest = rows.at(-1) ?? this.latest;
    return rows;
  }

  /** Finds the first loss in `rows`, gradient or parameter that is NaN or infinite; undefined if there is none. One readback. */
  async firstNotFinite(rows: readonly IterationMetrics[]): Promise<NotFinite | undefined> {
    const inNetwork = await firstNotFinite(this.optimizer, this.done, this.parameterNames());
    const row = rows.find(({ classLoss, transferLoss }) => !Number.isFinite(classLoss + transferLoss));
    // In one iteration the loss comes before its gradients.
    if (!row || row.iteration > (inNetwork?.iteration ?? Number.POSITIVE_INFINITY)) return inNetwork;
    return { iteration: row.iteration, what: Number.isFinite(row.classLoss) ? 'transfer loss' : 'class loss' };
  }

  /** Reads the class weights, with diagnostics. Ones if the method has none. One readback. */
  async classWeight(): Promise<ClassWeightEvent> {
    const { classWeights } = this.recipe;
    const classWeight = classWeights
      ? [...(await classWeights.classWeight.read())]
      : new Array<number>(this.settings.numClasses).fill(1);
    return { iteration: this.done, classWeight, ...diagnoseClassWeight(classWeight) };
  }

  /** Reads the whole state between two iterations. */
  async state(): Promise<Checkpoint> {
    const { done: iteration, options } = this;
    const method = { name: this.method.name, options: this.method.options };
    const { geometry, jitter } = this.settings;
    const images = { jitter: amountsOf(jitter), ...(geometry !== undefined && { geometry }) };
    return { iteration, method, ...images, options, tensors: await stateOf(this.parts()) };
  }

  /**
   * Resumes from a checkpoint. With equal settings, everything after is bit-identical to an uninterrupted run.
   *
   * @throws TypeError if the checkpoint is of other data, another model, another method, another jitter or another geometry
   */
  restore(checkpoint: Checkpoint): void {
    checkValue('restore', 'checkpoint', checkpoint, aCheckpoint);
    const { iteration, method, tensors } = checkpoint;
    if (method.name !== this.method.name)
      throw new TypeError(`restore: the checkpoint is of ${method.name}, but the method is ${this.method.name}`);
    checkSameJitter('restore', checkpoint, this.settings.jitter);
    const { geometry = 'none' } = this.settings;
    if ((checkpoint.geometry ?? geometry) !== geometry)
      throw new TypeError(
        `restore: the checkpoint's images have geometry ${checkpoint.geometry}, but it is ${geometry} now; use the same`,
      );
    loadState(this.parts(), tensors);
    this.done = iteration;
    this.ring.restart(iteration);
  }

  /**
   * Makes an evaluator of the model on a labelled set, for the caller to dispose.
   *
   * @param label names the set in messages
   * @throws RangeError for a label that is not among the model's classes
   * @throws TypeError for examples of another shape than the source's
   */
  evaluator(data: HostData | Dataset, label = 'test set'): Evaluator {
    const { gpu, model } = this;
    const { source, numClasses, options } = this.settings;
    checkExamples(source, data, label);
    return new Evaluator(gpu, { data, model, numClasses, eager: options.eager, label });
  }

  /** Evaluates the model on a labelled set, once. */
  async evaluate(data: HostData | Dataset): Promise<Evaluation> {
    const evaluator = this.evaluator(data);
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

  private get eager(): boolean {
    return this.options.eager || this.settings.detectAnomaly;
  }

  private async captureSteps(compile: Compile): Promise<void> {
    const parts = [() => this.forwardBackward(false), () => this.update()];
    if (this.recipe.warmUp?.iterations) parts.push(() => this.forwardBackward(true));
    const steps = await captureAll(this.gpu, parts, compile);
    // An eager run only needs their kernels to be compiled.
    if (this.eager) for (const step of steps) step.dispose();
    else this.steps = steps;
  }

  private async eagerStep(): Promise<void> {
    tidy(() => this.forwardBackward(this.warmsUp));
    await this.recipe.classWeights?.step();
    tidy(() => this.update());
  }

  /** An eager step that checks the result of every op, and then the updated parameters. Throws `NotFiniteError`. */
  private async checkedStep(): Promise<void> {
    const { done: iteration } = this;
    try {
      await detectAnomaly(this.gpu, () => this.eagerStep(), this.parameterNames());
    } catch (error) {
      throw error instanceof AnomalyError ? new NotFiniteError(iteration, error.anomaly.op, error) : error;
    }
    const updated = await firstNotFinite(this.optimizer, iteration + 1, this.parameterNames());
    if (!updated) return;
    const how = `the optimiser's step made ${updated.what} NaN or infinite, while all ops gave finite numbers`;
    throw new NotFiniteError(iteration, updated.what, new Error(`${how}; try a lower learning rate`));
  }

  private get warmsUp(): boolean {
    return this.done < (this.recipe.warmUp?.iterations ?? 0);
  }

  private forwardBackward(warmsUp: boolean): void {
    this.optimizer.zeroGrad();
    const losses = warmsUp
      ? this.recipe.warmUp!.losses({ source: labelled(this.sourceSampler.batch()) })
      : this.recipe.losses(this.batches());
    backward(losses.loss);
    this.ring.store(losses);
  }

  private update(): void {
    this.optimizer.step();
  }

  /** Gathers one batch per domain. Both lie side by side in one tensor, so that `concat` of the two copies nothing. */
  private batches(): Batches {
    const { targetSampler, target, jittered } = this;
    const { batchSize: n } = this.options;
    if (!targetSampler) return { source: labelled(this.sourceSampler.batch()) } as Batches;
    const x = empty(this.gpu, [2 * n, ...this.settings.shape], 'f32', 'batch');
    const { labels } = labelled(drawBoth(this.sourceSampler, targetSampler, x));
    const targetX = slice(x, n, 2 * n);
    return {
      source: { x: slice(x, 0, n), labels },
      target: { x: targetX, labels: null },
      get plainTarget() {
        return jittered.targetJitter ? targetSampler.batch(undefined, 0, target).x : targetX;
      },
    };
  }

  /** The parts that have a state, by their names in a checkpoint. */
  private parts(): Record<string, Stateful> {
    const { model, recipe, optimizer, sourceSampler: source, targetSampler: target } = this;
    const { networks, classWeights: classWeight } = recipe;
    const whole = Object.entries({ model, ...networks }).map(([name, network]) => [name, wholeState(network)]);
    return {
      ...Object.fromEntries(whole),
      optimizer,
      ...(classWeight && { classWeight }),
      source,
      ...(target && { target }),
      ...this.jittered,
      ...recipe.state,
    };
  }

  /** The model's groups, then the parameters of the method's networks. */
  private parameterGroups(): ParameterGroup[] {
    const own = this.model.getParameters?.() ?? [{ params: this.model.parameters() }];
    const others = Object.values(this.recipe.networks ?? {}).map((network) => ({ params: network.parameters() }));
    return [...own, ...others];
  }

  /** All parameters, the model's first, with their names in messages. */
  private parameterNames(): Map<Tensor, string> {
    const names = new Map<Tensor, string>();
    for (const [prefix, network] of Object.entries({ '': this.model, ...this.recipe.networks }))
      for (const [name, parameter] of network.namedParameters())
        names.set(parameter, prefix ? `${prefix}.${name}` : name);
    return names;
  }
}

/** Returns a batch of the source. Throws `TypeError` if it has no labels. */
function labelled({ x, labels }: Batch): Batches['source'] {
  if (!labels) throw new TypeError('training: the batches of the source have no labels; training needs them');
  return { x, labels };
}

/** The state of a network with the counters of its dropouts, which a resumed run needs. */
const wholeState = (network: Module<unknown>): Stateful => ({
  stateDict: () => network.stateDict({ all: true }),
  loadStateDict: (state) => void network.loadStateDict(state, { all: true }),
});
