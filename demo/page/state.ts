import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../src/train/events.ts';
import type { Method } from '../../src/train/options.ts';
import type { Due, Figures, Look, Report, Samples } from './protocol.ts';
import { defaultSettings, type Settings } from './settings.ts';

/** What one training has shown so far. */
export class Track {
  /** Iterations done. */
  iteration = 0;
  readonly rows: IterationMetrics[] = [];
  /** The class weights, each time they changed. */
  readonly weights: ClassWeightEvent[] = [];
  /** Percent of the target's test images classified correctly, each time they were evaluated. */
  readonly accuracies: { iteration: number; accuracy: number }[] = [];
  /** Evaluations on the digits that are chosen now. */
  readonly evaluations: { iteration: number; evaluation: Evaluation }[] = [];
  look: Look | undefined;
  /** Probabilities of the drawing. */
  answer: Float32Array | undefined;

  constructor(readonly method: Method) {}

  get weight(): ClassWeightEvent | undefined {
    return this.weights.at(-1);
  }

  /** The iteration at which class weights were first seen; undefined while every class still counts alike. */
  get weighted(): number | undefined {
    return this.weights.find(({ classWeight }) => classWeight.some((weight) => weight !== 1))?.iteration;
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
    const replace = <T extends { iteration: number }>(list: T[], item: T) => {
      if (list.at(-1)?.iteration === iteration) list.pop();
      list.push(item);
    };
    replace(this.accuracies, { iteration, accuracy: evaluation.accuracy });
    replace(this.evaluations, { iteration, evaluation });
  }

  /** Forgets the looks at other digits. The measured accuracies stay. */
  forgetLooks(): void {
    this.look = undefined;
    this.evaluations.length = 0;
  }

  /** Goes back to an iteration: later figures will be measured again. */
  rewind(iteration: number): void {
    this.iteration = iteration;
    const drop = <T extends { iteration: number }>(list: T[], last: number) => {
      while (list.length > 0 && list.at(-1)!.iteration > last) list.pop();
    };
    drop(this.rows, iteration - 1);
    drop(this.weights, iteration);
    drop(this.accuracies, iteration);
    drop(this.evaluations, iteration);
    if (this.look && this.look.iteration > iteration) this.look = undefined;
  }
}

export type Mode = 'loading' | 'ready' | 'running' | 'paused' | 'done' | 'failed';

/**
 * All that the views show. A choice of the visitor shows at once; figures that the worker still has to send are due until
 * they come, and figures of an earlier choice that come late are dropped.
 */
export class Story {
  settings: Settings;
  samples: Samples | undefined;
  /** Undefined until the browser was asked for one, null if it has none. */
  adapter: AdapterInfo | null | undefined;
  msPerStep = 0;
  mode: Mode = 'loading';
  /** The trainings that are shown. */
  tracks: readonly Track[] = [];
  /** All trainings since the start, for one that is chosen again. */
  private readonly known = new Map<Method, Track>();
  private due: ReadonlySet<Due> = new Set();
  /** Number of the latest choice, of the latest start, and of the latest choice of digits. */
  private revision = 0;
  private started = 0;
  private digitsSince = 0;
  /** Number of the latest drawing, and of the first one since the sheet was empty. */
  private drawing = 0;
  private firstDrawing = 0;

  constructor(settings: Settings = defaultSettings) {
    this.settings = settings;
    this.showTracks();
  }

  /** Iterations that every training has done. */
  get iteration(): number {
    return Math.min(...this.tracks.map((track) => track.iteration));
  }

  /** Whether there are trainings that can be run, saved and replaced. */
  get obeys(): boolean {
    return this.mode !== 'loading' && this.mode !== 'failed';
  }

  track(method: Method): Track | undefined {
    return this.tracks.find((track) => track.method === method);
  }

  /** Whether one of these reports is under way. */
  awaits(...reports: readonly Due[]): boolean {
    return reports.some((report) => this.due.has(report));
  }

  /** Whether a training has no look yet, and the worker is about to send one. */
  awaitsLook({ look }: Track): boolean {
    return !look && (this.mode === 'running' || this.awaits('ready', 'looks'));
  }

  /** Shows another choice; `start` begins all trainings again. Returns the number of the choice. */
  choose(settings: Settings, start = false): number {
    const others = settings.digits.join() !== this.settings.digits.join();
    this.settings = settings;
    this.revision++;
    if (start) {
      this.started = this.revision;
      this.known.clear();
      this.msPerStep = 0;
    }
    if (start || others) {
      this.digitsSince = this.revision;
      this.samples = undefined;
      for (const track of this.known.values()) track.forgetLooks();
    }
    // A worker without trainings obeys only a start.
    if (start || this.mode !== 'failed') this.due = new Set<Due>([...this.due, 'ready']);
    this.showTracks();
    return this.revision;
  }

  /** Takes note of another drawing, or of an empty sheet. Returns the number of the drawing. */
  draw(empty: boolean): number {
    this.drawing++;
    if (empty || this.mode === 'failed') {
      this.firstDrawing = this.drawing;
      for (const track of this.tracks) track.answer = undefined;
    } else this.due = new Set<Due>([...this.due, 'answers']);
    return this.drawing;
  }

  take(report: Report): void {
    const { type } = report;
    if (type === 'opened') this.adapter = report.adapter;
    else if (type === 'ready') this.begin(report);
    else if (type === 'progress' && report.revision >= this.started) {
      this.came('progress');
      this.msPerStep = report.msPerStep;
      for (const figures of report.figures) this.own(figures.method).add(figures);
    } else if (type === 'looks' && report.revision >= this.digitsSince) {
      this.came('looks');
      for (const [method, look] of report.looks) this.own(method).see(look);
    } else if (type === 'answers' && report.revision >= this.started && report.drawing >= this.firstDrawing) {
      if (report.drawing === this.drawing) this.came('answers');
      for (const track of this.tracks) track.answer = undefined;
      for (const [method, answer] of report.answers ?? []) this.own(method).answer = answer;
    } else if (type === 'failed') {
      // A choice that is still in the worker's inbox is obeyed after this failure, unless nothing is trained any more.
      this.due = new Set<Due>(report.fatal || !this.awaits('ready') ? [] : ['ready']);
      if (report.code === 'NO_ADAPTER' || report.code === 'NO_WEBGPU') this.adapter = null;
      if (report.fatal) for (const track of this.tracks) track.answer = undefined;
    }
  }

  private begin({ settings, samples, iterations, revision, from, next }: Extract<Report, { type: 'ready' }>): void {
    if (from !== 'before') this.known.clear();
    for (const [method, iteration] of iterations) this.own(method).rewind(iteration);
    if (revision === this.revision) {
      const { speed, run } = this.settings;
      if (from === 'file') this.settings = { ...settings, speed, run };
      this.samples = samples;
      this.due = new Set<Due>(this.awaits('answers') ? [...next, 'answers'] : next);
    }
    this.showTracks();
  }

  private came(report: Due): void {
    this.due = new Set([...this.due].filter((one) => one !== report));
  }

  private own(method: Method): Track {
    const track = this.known.get(method) ?? new Track(method);
    this.known.set(method, track);
    return track;
  }

  private showTracks(): void {
    this.tracks = this.settings.methods.map((method) => this.own(method));
  }
}
