// One training run on the GPU, with everything that the page shows of it.
import { AutomaticUpdateClassWeightModule } from '../../../src/adaptation/automaticUpdate.ts';
import type { ClassWeightKind } from '../../../src/adaptation/classWeight.ts';
import { datasetOf } from '../../../src/data/dataset.ts';
import { type GeometryName, inGeometry } from '../../../src/data/geometry.ts';
import type { HostImages } from '../../../src/data/host.ts';
import type { Resize } from '../../../src/data/readers/images.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { type Checkpoint, encodeCheckpoint } from '../../../src/train/checkpoint.ts';
import type { Evaluator } from '../../../src/train/evaluate.ts';
import { type MethodName, type RunOptions, trainArguments } from '../../../src/train/methods/named.ts';
import type { SelfTrainingOptions } from '../../../src/train/methods/selfTraining.ts';
import { encodeModel, type ModelRecord, type SavedModel } from '../../../src/train/modelFile.ts';
import { type Predictions, predict } from '../../../src/train/predict.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import {
  type OwnLabelling,
  POINTS,
  type RunAnalysis,
  type RunProgress,
  type SavedKind,
  type Snapshot,
} from '../protocol.ts';
import { ERRORS } from '../words.ts';
import type { RunData } from './images.ts';
import { Probe, type Seen } from './probe.ts';

/** How a run starts: with fresh weights, or from a checkpoint. */
interface Start {
  options: RunOptions;
  /** How the images were brought to their size; null for those that had it. */
  resize: Resize | null;
  from?: Checkpoint | undefined;
}

type Options = Pick<Required<SelfTrainingOptions>, 'temperature' | 'share' | 'floor'> & {
  classWeights?: ClassWeightKind;
};

export class Run {
  private readonly evaluator: Evaluator | undefined;
  private probe: Probe | undefined;

  private constructor(
    private readonly gpu: Gpu,
    private readonly data: RunData,
    private readonly trainer: Trainer,
    private readonly resize: Resize | null,
    private readonly geometry: GeometryName,
  ) {
    this.evaluator = data.test && trainer.evaluator(data.test);
  }

  /** Opens a new run, or one that continues from a checkpoint, which may have been trained on other classes. */
  static async open(gpu: Gpu, plain: RunData, { options, resize, from }: Start): Promise<Run> {
    const { geometry } = options;
    const data = dataIn(plain, geometry);
    const trainer = Trainer.begin({ gpu, ...data.training, ...trainArguments(options) });
    const run = new Run(gpu, data, trainer, resize, geometry);
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
  async progress(): Promise<Omit<RunProgress, 'ended'>> {
    const { trainer, method, iteration } = this;
    const [rows, weights] = await Promise.all([trainer.metrics(), trainer.classWeight()]);
    const bad = await trainer.firstNotFinite(rows);
    if (bad) throw new RangeError(ERRORS.notFinite(bad.what, method, bad.iteration));
    return { method, iteration, rows, weights };
  }

  async snapshot(): Promise<Snapshot> {
    const { gpu, data, trainer, iteration } = this;
    const { threshold } = trainer.method.options as { threshold?: number };
    const { numClasses } = data.training;
    this.probe ??= new Probe(
      gpu,
      trainer.model,
      data.probe,
      threshold === undefined ? undefined : { numClasses, threshold },
    );
    const { own, ...seen } = await this.probe.look((await trainer.classWeight()).classWeight);
    this.checkFinite(seen.probabilities);
    return { iteration, own: own && this.compared(own), evaluation: await this.evaluator?.run(), ...seen };
  }

  /** Returns the probabilities [10] of one image, u8 [28, 28]. */
  async answer(images: Uint8Array): Promise<Float32Array> {
    const { channels, height, width } = this.data.training.source;
    const image = inGeometry({ images, count: 1, channels, height, width }, this.geometry);
    return (await this.predict(image)).probabilities;
  }

  /** Returns the predictions for all target images. */
  label(): Promise<Predictions> {
    return this.predict(this.data.training.target);
  }

  /** @param onShare called with the share of the work that is done */
  async analyse(onShare: (share: number) => void): Promise<RunAnalysis> {
    const { gpu, data, trainer, iteration } = this;
    const { analyse } = await import('./analysis.ts');
    const { seed } = trainer.options;
    return {
      iteration,
      ...(await analyse(gpu, trainer.model, { data, seed, onEpoch: (done, total) => onShare(done / total) })),
    };
  }

  /** Recomputes the class weights for the current network, classes and temperature. Only for methods that have some. */
  async updateWeights(): Promise<void> {
    const { gpu, trainer, data } = this;
    const { target, numClasses } = data.training;
    const { batchSize } = trainer.options;
    const { temperature, share, floor, classWeights = 'saturating' } = trainer.method.options as Options;
    const dataLoader = datasetOf(gpu, target, 2 * batchSize, { labelled: false, label: 'target' });
    const classifier = trainer.model;
    const module = new AutomaticUpdateClassWeightModule(gpu, {
      ...{ updateSteps: 1, dataLoader, classifier, numClasses },
      ...{ temperature, share, floor, classWeights },
    });
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
    return { arch: 'smallCnn', shape: samples.shape, classNames, resize: this.resize, geometry: this.geometry };
  }

  private async predict(data: HostImages): Promise<Predictions> {
    const labels = await predict(this.gpu, { data, model: this.trainer.model });
    this.checkFinite(labels.probabilities);
    return labels;
  }

  /** Compares the labels that self-training gives itself with the true ones, which it never sees. */
  private compared({ labels, mask }: NonNullable<Seen['own']>): OwnLabelling {
    const { pointLabels, targetLabels } = this.data.samples;
    const kept = [...labels.keys()].filter((i) => mask[i] === 1);
    const right = kept.filter((i) => labels[i] === pointLabels[POINTS + i]);
    return {
      kept: (100 * kept.length) / labels.length,
      right: targetLabels && kept.length > 0 ? (100 * right.length) / kept.length : null,
    };
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

/** Brings all images of a run to a geometry; those that the page shows stay as they are. */
function dataIn(data: RunData, geometry: GeometryName): RunData {
  const { training, test, probe } = data;
  const [source, target] = [inGeometry(training.source, geometry), inGeometry(training.target, geometry)];
  return {
    ...data,
    training: { ...training, source, target },
    test: inGeometry(test, geometry),
    probe: inGeometry(probe, geometry),
  };
}
