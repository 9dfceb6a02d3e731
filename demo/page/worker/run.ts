// One training run on the GPU, with everything that the page shows of it.
import { AutomaticUpdateClassWeightModule } from '../../../src/adaptation/automaticUpdate.ts';
import { noGrad } from '../../../src/autograd.ts';
import { datasetOf } from '../../../src/data/dataset.ts';
import { exampleShape } from '../../../src/data/host.ts';
import type { Resize } from '../../../src/data/readers/images.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { softmax } from '../../../src/ops/softmax.ts';
import { tensor } from '../../../src/tensor.ts';
import { tidy } from '../../../src/tidy.ts';
import { type Checkpoint, encodeCheckpoint } from '../../../src/train/checkpoint.ts';
import type { Evaluator } from '../../../src/train/evaluate.ts';
import { type MethodName, type RunOptions, trainArguments } from '../../../src/train/methods/named.ts';
import { encodeModel, type ModelRecord, type SavedModel } from '../../../src/train/modelFile.ts';
import { type Predictions, predict } from '../../../src/train/predict.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import type { RunProgress, SavedKind, Snapshot } from '../protocol.ts';
import { ERRORS } from '../words.ts';
import type { RunData } from './images.ts';
import { Probe } from './probe.ts';

/** How a run starts: with fresh weights, or from a checkpoint. */
interface Start {
  options: RunOptions;
  /** How the images were brought to their size; null for those that had it. */
  resize: Resize | null;
  from?: Checkpoint | undefined;
}

export class Run {
  private readonly evaluator: Evaluator | undefined;
  private probe: Probe | undefined;

  private constructor(
    private readonly gpu: Gpu,
    private readonly data: RunData,
    private readonly trainer: Trainer,
    private readonly resize: Resize | null,
  ) {
    this.evaluator = data.test && trainer.evaluator(data.test);
  }

  /** Opens a new run, or one that continues from a checkpoint, which may have been trained on other classes. */
  static async open(gpu: Gpu, data: RunData, { options, resize, from }: Start): Promise<Run> {
    const trainer = Trainer.begin({ gpu, ...data.training, ...trainArguments(options) });
    const run = new Run(gpu, data, trainer, resize);
    try {
      await trainer.prepare(run.evaluator ? [run.evaluator] : []);
      if (from) await run.continueFrom(from);
      return run;
    } catch (error) {
      run.dispose();
      throw error;
    }
  }

  get method(): MethodName {
    return this.trainer.method.name as MethodName;
  }

  get iteration(): number {
    return this.trainer.iteration;
  }

  async step(): Promise<void> {
    await this.trainer.step();
  }

  /** Returns what was measured since the last call. Throws a `RangeError` if a value is not finite. */
  async progress(): Promise<RunProgress> {
    const { trainer, method, iteration } = this;
    const [rows, weights] = await Promise.all([trainer.metrics(), trainer.classWeight()]);
    const bad = await trainer.firstNotFinite(rows);
    if (bad) throw new RangeError(ERRORS.notFinite(bad.what, method, bad.iteration));
    return { method, iteration, rows, weights };
  }

  async snapshot(): Promise<Snapshot> {
    const { gpu, data, trainer, iteration } = this;
    this.probe ??= new Probe(gpu, trainer.model, data.probe);
    const seen = await this.probe.look();
    this.checkFinite(seen.probabilities);
    return { iteration, evaluation: await this.evaluator?.run(), ...seen };
  }

  /** Returns the probabilities [10] of one image, u8 [28, 28]. */
  async answer(pixels: Uint8Array): Promise<Float32Array> {
    const { model } = this.trainer;
    const shape = exampleShape(this.data.training.source);
    const restore = model.evalMode();
    const y = tidy(() => {
      const values = Float32Array.from(pixels, (byte) => byte / 127.5 - 1);
      const x = tensor(this.gpu, values, [1, ...shape]);
      return noGrad(() => softmax(model.forward(x).logits));
    });
    restore();
    try {
      const probabilities = await y.read();
      this.checkFinite(probabilities);
      return probabilities;
    } finally {
      y.dispose();
    }
  }

  /** Returns the predictions for all target images. */
  async label(): Promise<Predictions> {
    const labels = await predict(this.gpu, { data: this.data.training.target, model: this.trainer.model });
    this.checkFinite(labels.probabilities);
    return labels;
  }

  /** Recomputes the class weights for the current network, classes and temperature. Only for PADA. */
  async updateWeights(): Promise<void> {
    const { gpu, trainer, data } = this;
    const { target, numClasses } = data.training;
    const { batchSize } = trainer.options;
    const temperature = Number(trainer.method.options.temperature);
    const dataLoader = datasetOf(gpu, target, 2 * batchSize, { labelled: false, label: 'target' });
    const classifier = trainer.model;
    const options = { updateSteps: 1, dataLoader, classifier, numClasses, temperature };
    const module = new AutomaticUpdateClassWeightModule(gpu, options);
    try {
      await module.update();
      const state = await trainer.state();
      const { classWeight } = module;
      state.tensors.set('classWeight.weight', { shape: classWeight.shape, data: await classWeight.read() });
      trainer.restore(state);
    } finally {
      module.dispose();
      dataLoader.dispose();
    }
  }

  checkpoint(): Promise<Checkpoint> {
    return this.trainer.state();
  }

  /** Returns a file that the command line can open too. */
  async save(what: SavedKind): Promise<Uint8Array<ArrayBuffer>> {
    return what === 'checkpoint'
      ? encodeCheckpoint(await this.checkpoint())
      : encodeModel(this.trainer.model, this.record);
  }

  /** Replaces the network's weights. Throws a `RangeError` for a network of other images or classes. */
  loadNetwork({ file, state, record }: SavedModel): void {
    for (const name of ['arch', 'shape', 'classNames', 'standardize', 'geometry'] as const) {
      const [theirs, ours] = [record?.[name], this.record[name]].map((value) =>
        value && value !== 'none' ? JSON.stringify(value) : '',
      );
      if (record && theirs !== ours) throw new RangeError(ERRORS.otherNetwork(file, name, theirs!, ours!));
    }
    this.trainer.model.loadStateDict(state);
  }

  dispose(): void {
    this.probe?.dispose();
    this.evaluator?.dispose();
    this.trainer.dispose();
  }

  private get record(): ModelRecord {
    const { samples } = this.data;
    // Digits have no other names than their numbers.
    const classNames = samples.classNames.every((name, c) => name === String(c)) ? null : samples.classNames;
    return { arch: 'smallCnn', shape: samples.shape, classNames, resize: this.resize };
  }

  private checkFinite(probabilities: Float32Array): void {
    if (!probabilities.every(Number.isFinite))
      throw new RangeError(ERRORS.networkNotFinite(this.method, this.iteration));
  }

  private async continueFrom(checkpoint: Checkpoint): Promise<void> {
    const { trainer } = this;
    const { tensors } = checkpoint;
    if (tensors.get('target.order')?.shape[0] === this.data.training.target.count) return trainer.restore(checkpoint);
    // The order of other target images does not fit, so a new one is used.
    const fresh = await trainer.state();
    const own = [...fresh.tensors].filter(([name]) => name.startsWith('target.'));
    trainer.restore({ ...checkpoint, tensors: new Map([...tensors, ...own]) });
  }
}
