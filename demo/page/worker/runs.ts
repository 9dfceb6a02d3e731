// Training runs that differ only in their method: same seed, same images. They survive the GPU that they run on, because
// their checkpoints are kept.

import { exampleShape } from '../../../src/data/host.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { decodeSafetensors } from '../../../src/io/safetensors.ts';
import { type Checkpoint, decodeCheckpoint } from '../../../src/train/checkpoint.ts';
import {
  completeRunOptions,
  defaultRunOptions,
  METHOD_NAMES,
  type MethodName,
  type RunOptions,
  runDefaultsOf,
  runOptionsOf,
} from '../../../src/train/methods/named.ts';
import { decodeModel, type SavedModel } from '../../../src/train/modelFile.ts';
import { type Settings, WEIGHTED } from '../settings.ts';
import { ERRORS } from '../words.ts';
import { type RunData, selectRunData, type TaskImages } from './images.ts';
import { Run } from './run.ts';

export class Runs {
  all: Run[] = [];
  data: RunData;
  /** A run pauses at this multiple of the iterations that its method takes. */
  rounds = 1;
  private readonly kept = new Map<MethodName, Checkpoint>();

  /** @param base options that the page has no setting for: the defaults, or those of a checkpoint */
  constructor(
    readonly images: TaskImages,
    private chosen: Settings,
    private readonly base: RunOptions = defaultRunOptions,
  ) {
    this.data = selectRunData(images, chosen.classes);
  }

  /** Returns runs of which one continues from a checkpoint. Throws a `RangeError` if it was trained on other images. */
  static from(images: TaskImages, settings: Settings, checkpoint: Checkpoint): Runs {
    const { tensors } = checkpoint;
    const given = runOptionsOf(checkpoint);
    const options = completeRunOptions(given, runDefaultsOf(given.method!, exampleShape(images.source)));
    const runs = new Runs(images, settingsOf(settings, options), options);
    const { source, target } = runs.data.training;
    for (const [domain, { count }] of Object.entries({ source, target })) {
      const trained = tensors.get(`${domain}.order`)?.shape[0];
      // Training on source batches only keeps no order of the target.
      if (trained === undefined && options.method === 'source-only') continue;
      if (trained !== count) throw new RangeError(ERRORS.otherImages(domain, trained, count));
    }
    runs.kept.set(options.method, checkpoint);
    return runs;
  }

  get settings(): Settings {
    return this.chosen;
  }

  /** The runs that have not ended. */
  get going(): Run[] {
    return this.all.filter((run) => !this.hasEnded(run));
  }

  /** Iterations that every run has done that has not ended; if all have, the most of any. */
  get iteration(): number {
    const { all, going } = this;
    const done = (runs: readonly Run[]) => runs.map((run) => run.iteration);
    return going.length > 0 ? Math.min(...done(going)) : Math.max(...done(all));
  }

  /** The runs that are furthest behind, of those that have not ended. */
  get behind(): Run[] {
    return this.going.filter((run) => run.iteration === this.iteration);
  }

  /** Iterations until all runs have ended. */
  get left(): number {
    return this.going.reduce((n, run) => n + this.endOf(run) - run.iteration, 0);
  }

  hasEnded(run: Run): boolean {
    return run.iteration >= this.endOf(run);
  }

  /** Lets each run take as many iterations again, if all have ended. */
  extend(): void {
    this.rounds = 1 + Math.min(...this.all.map((run) => Math.floor(run.iteration / lengthOf(run))));
  }

  private endOf(run: Run): number {
    return this.rounds * lengthOf(run);
  }

  get iterations(): [MethodName, number][] {
    return this.all.map((run) => [run.method, run.iteration]);
  }

  run(method: MethodName): Run {
    const found = this.all.find((run) => run.method === method);
    if (!found) throw new RangeError(ERRORS.notARun(method));
    return found;
  }

  /** Opens the runs on a GPU, each at its kept checkpoint. */
  async open(gpu: Gpu): Promise<void> {
    const { batch, methods } = this.chosen;
    const { source, target } = this.data.training;
    // Visitors may have fewer images of their own than a batch.
    const most = this.images.task === 'own' ? Math.min(source.count, target.count) : batch;
    try {
      for (const method of methods) {
        const options = { ...this.optionsOf(method), batchSize: Math.min(batch, most) };
        this.all.push(
          await Run.open(gpu, this.data, { options, resize: this.images.resize, from: this.kept.get(method) }),
        );
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Trains one iteration of a run that is furthest behind. */
  async step(): Promise<void> {
    await this.behind[0]!.step();
  }

  /** Keeps checkpoints of the current iteration. */
  async keep(): Promise<void> {
    const checkpoints = await Promise.all(this.all.map((run) => run.checkpoint()));
    for (const checkpoint of checkpoints) this.kept.set(checkpoint.method.name as MethodName, checkpoint);
  }

  /** Continues with other settings. Class weights that were computed before are recomputed at once. */
  async change(gpu: Gpu, settings: Settings): Promise<void> {
    await this.keep();
    this.close();
    this.chosen = settings;
    this.data = selectRunData(this.images, settings.classes);
    await this.open(gpu);
    for (const run of this.all)
      if (WEIGHTED.includes(run.method) && run.iteration >= settings.updateSteps) await run.updateWeights();
  }

  close(): void {
    for (const run of this.all) run.dispose();
    this.all = [];
  }

  /** The defaults of a method, what differs from them in the base, and the settings. */
  private optionsOf(method: MethodName): RunOptions {
    const { base, chosen } = this;
    const shape = exampleShape(this.data.training.source);
    const defaults: Record<string, unknown> = { ...runDefaultsOf(base.method, shape) };
    const differing = Object.entries(base).filter(([name, value]) => value !== defaults[name]);
    const { temperature, tradeOff, threshold, pseudoFrom, updateSteps: classWeightUpdateSteps, seed } = chosen;
    return {
      ...runDefaultsOf(method, shape),
      ...Object.fromEntries(differing),
      ...{ tradeOff, threshold, pseudoFrom, classWeightUpdateSteps, seed, method },
      ...(method !== 'self-training' && { temperature }),
    };
  }
}

/** The iterations that a run takes before it pauses: as many as the recorded runs of its method. */
const lengthOf = ({ method }: Run): number => runDefaultsOf(method).iterations;

/** Returns the settings of a checkpoint, with its method among those shown. */
function settingsOf(settings: Settings, options: RunOptions): Settings {
  const { method, tradeOff, classWeightUpdateSteps: updateSteps, seed, batchSize: batch } = options;
  const methods = METHOD_NAMES.filter((each) => each === method || settings.methods.includes(each));
  const { threshold, pseudoFrom } = options;
  const temperature = method === 'self-training' ? settings.temperature : options.temperature;
  return { ...settings, methods, temperature, tradeOff, threshold, pseudoFrom, updateSteps, seed, batch };
}

/** Decodes a file that holds a checkpoint or only a network. Throws a `DataError` or `TypeError` if it is neither. */
export async function decodeSaved(
  bytes: Uint8Array,
  file: string,
): Promise<{ checkpoint: Checkpoint } | { network: SavedModel }> {
  const { metadata } = decodeSafetensors(bytes, file);
  return metadata.has('kind')
    ? { checkpoint: await decodeCheckpoint(bytes, file) }
    : { network: decodeModel(bytes, file) };
}
