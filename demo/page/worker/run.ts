import { AutomaticUpdateClassWeightModule } from '../../../src/adaptation/automaticUpdate.ts';
import { noGrad } from '../../../src/autograd.ts';
import { ImageDataset } from '../../../src/data/dataset.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { StateDict } from '../../../src/nn/stateDict.ts';
import { softmax } from '../../../src/ops/softmax.ts';
import { tensor } from '../../../src/tensor.ts';
import { tidy } from '../../../src/tidy.ts';
import type { Checkpoint } from '../../../src/train/checkpoint.ts';
import type { Evaluator } from '../../../src/train/evaluate.ts';
import type { Method, TrainingOptions } from '../../../src/train/options.ts';
import { Training } from '../../../src/train/training.ts';
import { type Figures, type Look, POINTS, STRIP } from '../protocol.ts';
import type { Material } from './digits.ts';
import { Probe } from './probe.ts';

const EMPTY_PIXEL = -1;

/** One training on the GPU, with what the page shows of it. */
export class Lane {
  private readonly evaluator: Evaluator;
  private probe: Probe | undefined;

  private constructor(
    private readonly gpu: Gpu,
    private readonly material: Material,
    readonly training: Training,
  ) {
    this.evaluator = training.evaluator(material.test);
  }

  /** A training from its beginning, or from where another one with these digits or others stood. */
  static async open(gpu: Gpu, material: Material, options: TrainingOptions, from?: Checkpoint): Promise<Lane> {
    const lane = new Lane(gpu, material, Training.begin(gpu, material.data, options));
    try {
      await lane.training.prepare([lane.evaluator]);
      if (from) await lane.goOnFrom(from);
      return lane;
    } catch (error) {
      lane.dispose();
      throw error;
    }
  }

  get method(): Method {
    return this.training.options.method;
  }

  get iteration(): number {
    return this.training.iteration;
  }

  /** What was measured since the last call; throws where it is not finite. */
  async figures(): Promise<Figures> {
    const { training, method } = this;
    const [rows, weights] = await Promise.all([training.metrics(), training.classWeight()]);
    const bad = await training.firstNotFinite(rows);
    if (bad) {
      const where = `${bad.what} of ${method} became NaN or infinite in iteration ${bad.iteration}`;
      throw new RangeError(`${where}; start over, with a lower trade-off`);
    }
    return { method, iteration: training.iteration, rows, weights };
  }

  /** What it makes of the test images. */
  async look(): Promise<Look> {
    const { gpu, material, training } = this;
    this.probe ??= new Probe(gpu, training.model, material.probe, [POINTS, POINTS + STRIP]);
    const sight = await this.probe.look();
    this.check(sight.probabilities);
    const evaluation = await this.evaluator.run();
    return { iteration: training.iteration, evaluation, ...sight };
  }

  /** Probabilities of one image of 28x28 bytes. */
  async answer(pixels: Uint8Array): Promise<Float32Array> {
    const { model } = this.training;
    const { height, width } = this.material.data.source;
    const restore = model.evalMode();
    const y = tidy(() => {
      const x = tensor(
        this.gpu,
        Float32Array.from(pixels, (byte) => byte / 127.5 + EMPTY_PIXEL),
        [1, 1, height, width],
      );
      return noGrad(() => softmax(model.forward(x).logits));
    });
    restore();
    try {
      const probabilities = await y.read();
      this.check(probabilities);
      return probabilities;
    } finally {
      y.dispose();
    }
  }

  /** Takes the class weights anew, with the classifier, the digits and the temperature of now; `pada` alone. */
  async renewWeights(): Promise<void> {
    const { gpu, training, material } = this;
    const { target, numClasses } = material.data;
    const { batchSize, temperature } = training.options;
    const dataLoader = new ImageDataset(gpu, target, 2 * batchSize, { labelled: false, label: 'target' });
    const classifier = training.model;
    const options = { updateSteps: 1, dataLoader, classifier, numClasses, temperature };
    const module = new AutomaticUpdateClassWeightModule(gpu, options);
    try {
      await module.update();
      const state = await training.state();
      const { classWeight } = module;
      state.tensors.set('classWeight.weight', { shape: classWeight.shape, data: await classWeight.read() });
      training.restore(state);
    } finally {
      module.dispose();
      dataLoader.dispose();
    }
  }

  /** Takes over the weights of a network that was saved alone. */
  loadModel(state: StateDict): void {
    this.training.model.loadStateDict(state);
  }

  private check(probabilities: Float32Array): void {
    if (probabilities.every(Number.isFinite)) return;
    const what = `the network of ${this.method} computes NaN at iteration ${this.iteration}`;
    throw new RangeError(`${what}; start over with a lower trade-off, or open another network`);
  }

  dispose(): void {
    this.probe?.dispose();
    this.evaluator.dispose();
    this.training.dispose();
  }

  private async goOnFrom({ iteration, options, tensors }: Checkpoint): Promise<void> {
    const { training } = this;
    if (tensors.get('target.order')?.shape[0] === this.material.data.target.count)
      return training.restore({ iteration, options, tensors });
    // Of other target images the order is another: begun anew.
    const fresh = await training.state();
    const own = [...fresh.tensors].filter(([name]) => name.startsWith('target.'));
    training.restore({ iteration, options, tensors: new Map([...tensors, ...own]) });
  }
}
