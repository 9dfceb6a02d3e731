import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Checkpoint } from '../../../src/train/checkpoint.ts';
import { defaultOptions, type Method, type TrainingOptions } from '../../../src/train/options.ts';
import { METHODS, type Settings } from '../settings.ts';
import { chooseDigits, type Digits, type Material } from './digits.ts';
import { Lane } from './run.ts';

/**
 * Several trainings that differ in their method alone: same seed, same digits. The one that is furthest behind does the
 * next iteration. It outlives the GPU that its lanes are on, by the states that it keeps.
 */
export class Contest {
  lanes: Lane[] = [];
  material: Material;
  private readonly kept = new Map<Method, Checkpoint>();

  /** @param base all options that the page does not ask for, those of a checkpoint in place of the defaults */
  constructor(
    private readonly digits: Digits,
    private chosen: Settings,
    private readonly base: TrainingOptions = defaultOptions,
  ) {
    this.material = chooseDigits(digits, chosen.digits);
  }

  /** Goes on from a checkpoint of the same digits. */
  static from(digits: Digits, settings: Settings, checkpoint: Checkpoint): Contest {
    const { options, tensors } = checkpoint;
    const contest = new Contest(digits, settingsOf(settings, options), options);
    const { source, target } = contest.material.data;
    for (const [name, { count }] of Object.entries({ source, target })) {
      const own = tensors.get(`${name}.order`)?.shape[0];
      if (own === count) continue;
      throw new RangeError(
        `this training had ${own ?? 'no'} ${name} images, but here there are ${count}; choose the digits that its target held`,
      );
    }
    contest.kept.set(options.method, checkpoint);
    return contest;
  }

  get settings(): Settings {
    return this.chosen;
  }

  /** Iterations that every training has done. */
  get iteration(): number {
    return Math.min(...this.lanes.map((lane) => lane.iteration));
  }

  /** True where all have done as many. */
  get level(): boolean {
    return this.lanes.every((lane) => lane.iteration === this.iteration);
  }

  get iterations(): [Method, number][] {
    return this.lanes.map((lane) => [lane.method, lane.iteration]);
  }

  /** Puts the trainings on a GPU, each where its kept state was. */
  async open(gpu: Gpu): Promise<void> {
    const { temperature, tradeOff, updateSteps: classWeightUpdateSteps, seed, batch: batchSize, methods } = this.chosen;
    const own = { temperature, tradeOff, classWeightUpdateSteps, seed, batchSize };
    const trainings = methods.map((method) => ({ ...this.base, ...own, method }));
    try {
      for (const options of trainings)
        this.lanes.push(await Lane.open(gpu, this.material, options, this.kept.get(options.method)));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** One iteration of the training that is furthest behind. */
  async step(): Promise<void> {
    await this.lanes.find((lane) => lane.iteration === this.iteration)!.training.step();
  }

  /** Keeps the states of now, to go on from. */
  async keep(): Promise<void> {
    const states = await Promise.all(this.lanes.map((lane) => lane.training.state()));
    for (const state of states) this.kept.set(state.options.method, state);
  }

  /** Goes on with other settings. Class weights that were taken before are taken anew at once. */
  async change(gpu: Gpu, settings: Settings): Promise<void> {
    await this.keep();
    this.close();
    this.chosen = settings;
    this.material = chooseDigits(this.digits, settings.digits);
    await this.open(gpu);
    for (const lane of this.lanes)
      if (lane.method === 'pada' && lane.iteration >= settings.updateSteps) await lane.renewWeights();
  }

  lane(method: Method): Lane | undefined {
    return this.lanes.find((lane) => lane.method === method);
  }

  close(): void {
    for (const lane of this.lanes) lane.dispose();
    this.lanes = [];
  }
}

/** Settings as a checkpoint has them, its method among those shown. */
function settingsOf(settings: Settings, options: TrainingOptions): Settings {
  const { method, temperature, tradeOff, classWeightUpdateSteps: updateSteps, seed, batchSize: batch } = options;
  const methods = METHODS.filter((each) => each === method || settings.methods.includes(each));
  return { ...settings, methods, temperature, tradeOff, updateSteps, seed, batch };
}
