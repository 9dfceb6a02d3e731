import type { AdapterInfo } from '../src/gpu/device.ts';
import type { ClassWeightEvent, IterationMetrics } from '../src/train/events.ts';
import type { Method } from '../src/train/options.ts';
import type { Figures, Look, Report, Samples } from './protocol.ts';
import { defaultSettings, type Settings } from './settings.ts';

/** What one training has shown so far. */
export class Track {
  /** Iterations done. */
  iteration = 0;
  readonly rows: IterationMetrics[] = [];
  /** The class weights, each time they changed. */
  readonly weights: ClassWeightEvent[] = [];
  /** Percent of the target's test images read rightly, each time that was looked at. */
  readonly accuracies: { iteration: number; accuracy: number }[] = [];
  look: Look | undefined;
  /** Probabilities of what was drawn. */
  answer: Float32Array | undefined;

  constructor(readonly method: Method) {}

  get weight(): ClassWeightEvent | undefined {
    return this.weights.at(-1);
  }

  add({ iteration, rows, weights }: Figures): void {
    this.iteration = iteration;
    // One by one: an array of them all would not fit on the stack.
    for (const row of rows) this.rows.push(row);
    const before = this.weight?.classWeight;
    if (!weights.classWeight.every((weight, c) => weight === before?.[c])) this.weights.push(weights);
  }

  see(look: Look): void {
    this.look = look;
    const { iteration, evaluation } = look;
    if (this.accuracies.at(-1)?.iteration === iteration) this.accuracies.pop();
    this.accuracies.push({ iteration, accuracy: evaluation.accuracy });
  }

  /** Goes back to an iteration: what came after it will be again. */
  rewind(iteration: number): void {
    this.iteration = iteration;
    const drop = <T extends { iteration: number }>(list: T[], last: number) => {
      while (list.length > 0 && list.at(-1)!.iteration > last) list.pop();
    };
    drop(this.rows, iteration - 1);
    drop(this.weights, iteration);
    drop(this.accuracies, iteration);
  }
}

export type Mode = 'loading' | 'ready' | 'running' | 'paused' | 'done' | 'failed';

/** All that the views show. */
export class Story {
  settings: Settings = defaultSettings;
  samples: Samples | undefined;
  adapter: AdapterInfo | undefined;
  msPerStep = 0;
  mode: Mode = 'loading';
  tracks: readonly Track[] = [];

  /** Iterations that every training has done. */
  get iteration(): number {
    return Math.min(...this.tracks.map((track) => track.iteration));
  }

  track(method: Method): Track | undefined {
    return this.tracks.find((track) => track.method === method);
  }

  take(report: Report): void {
    if (report.type === 'opened') this.adapter = report.adapter;
    else if (report.type === 'ready') {
      const others = report.settings.digits.join() !== this.settings.digits.join();
      this.settings = report.settings;
      this.samples = report.samples;
      this.tracks = report.iterations.map(([method, iteration]) => {
        const track = (report.anew ? undefined : this.track(method)) ?? new Track(method);
        track.rewind(iteration);
        // What was seen of other digits says nothing of these.
        if (others) track.look = undefined;
        return track;
      });
    } else if (report.type === 'progress') {
      this.msPerStep = report.msPerStep;
      for (const figures of report.figures) this.track(figures.method)?.add(figures);
    } else if (report.type === 'looks') for (const [method, look] of report.looks) this.track(method)?.see(look);
    else if (report.type === 'answers') {
      for (const track of this.tracks) track.answer = undefined;
      for (const [method, answer] of report.answers ?? []) this.track(method)!.answer = answer;
    }
  }
}
