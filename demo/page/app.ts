import type { Method } from '../../src/train/options.ts';
import { download } from '../shared/dom.ts';
import { csvOf } from './csv.ts';
import type { Command, Report } from './protocol.ts';
import { parseSettings, type Settings, showSettings } from './settings.ts';
import { type Mode, Story } from './state.ts';
import { count, ranges } from './words.ts';

// No network that this page opens comes near.
const LARGEST_FILE = 64 * 2 ** 20;

/** What the page shows apart from the story. */
export interface Surface {
  /** Something changed that is drawn. */
  changed(): void;
  /** A sentence on what happens now, read aloud. */
  say(text: string): void;
  /** Something is wrong, by its code or in its own words. */
  warn(code: string, text: string): void;
  /** Nothing is wrong any more. */
  calm(): void;
}

/** The page's side of the trainings: holds the story, and tells the worker what the visitor wants. */
export class App {
  readonly story = new Story(parseSettings(location.hash));
  /** Whether training should run as soon as it can. */
  private wish: boolean | undefined = this.story.settings.run;
  private asleep = false;
  private worker: Worker | undefined;

  /** @param trains false in a browser without WebGPU: then choices show, but nothing is trained */
  constructor(
    private readonly surface: Surface,
    readonly trains: boolean,
  ) {
    addEventListener('hashchange', () => this.followAddress());
    if (!trains) {
      this.fail('NO_WEBGPU', '');
      return;
    }
    document.addEventListener('visibilitychange', () => this.sleep(document.hidden));
    this.begin();
  }

  start(): void {
    this.wish = true;
    this.enter('running');
    this.surface.calm();
    this.surface.say('Training.');
    this.choose({ run: true });
    this.send({ type: 'run' });
  }

  pause(): void {
    this.wish = false;
    this.enter('paused');
    this.surface.say(`Paused after iteration ${count(this.story.iteration)}.`);
    this.choose({ run: false });
    this.send({ type: 'pause' });
  }

  /** Starts or pauses, whichever is not so. */
  toggle(): void {
    if (this.story.mode === 'running') this.pause();
    else this.start();
  }

  step(): void {
    if (this.story.mode === 'running') this.pause();
    this.enter('paused');
    this.surface.calm();
    this.surface.say('One iteration more.');
    this.send({ type: 'step' });
  }

  startOver(): void {
    this.surface.calm();
    this.surface.say('Starting over.');
    this.begin();
  }

  /** Takes other settings. Training continues with them; another seed or batch size starts it over. */
  choose(change: Partial<Settings>): void {
    const { story, surface } = this;
    const [before, next] = [story.settings, { ...story.settings, ...change }];
    const differs = (...names: (keyof Settings)[]) => names.some((name) => String(before[name]) !== String(next[name]));
    if (differs('speed')) this.send({ type: 'speed', speed: next.speed });
    const restarts = this.trains && differs('seed', 'batch');
    if (restarts || !differs('methods', 'digits', 'temperature', 'tradeOff', 'updateSteps')) story.settings = next;
    else {
      const revision = story.choose(next);
      if (story.mode !== 'failed') {
        surface.calm();
        surface.say('Changing the trainings.');
        this.send({ type: 'change', settings: next, revision });
      }
    }
    this.writeAddress();
    if (restarts) this.startOver();
    surface.changed();
  }

  draw(pixels: Uint8Array | null): void {
    const drawing = this.story.draw(pixels === null);
    this.send({ type: 'draw', pixels, drawing });
    this.surface.changed();
  }

  save(method: Method, what: 'training' | 'model'): void {
    this.send({ type: 'save', method, what });
  }

  async load(method: Method, file: File): Promise<void> {
    if (file.size > LARGEST_FILE)
      return this.surface.warn('', `${file.name} is too large to be a network of this page.`);
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      this.send({ type: 'load', method, name: file.name, bytes });
    } catch (error) {
      this.surface.warn('', `${file.name} cannot be read: ${(error as Error).message}`);
    }
  }

  saveMetrics(): void {
    download('padagrad-metrics.csv', csvOf(this.story.tracks), 'text/csv');
  }

  async share(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.surface.say('The link is in the clipboard.');
    } catch {
      this.surface.say('The link is the address above: it holds every choice.');
    }
  }

  private begin(): void {
    const { settings } = this.story;
    this.worker ??= this.startWorker();
    this.enter('loading');
    this.send({ type: 'begin', settings, revision: this.story.choose(settings, true) });
  }

  private startWorker(): Worker {
    const worker = new Worker('worker.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Report>) => this.hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      // After an error that it did not report itself, nothing that it says can be trusted.
      worker.terminate();
      this.worker = undefined;
      this.fail(
        '',
        `The worker that trains has failed: ${event.message || 'it did not load'}. “Start over” tries again.`,
      );
    };
    return worker;
  }

  private send(command: Command): void {
    this.worker?.postMessage(command);
  }

  /** Nothing is trained until the next start. */
  private fail(code: string, text: string): void {
    this.hear({ type: 'failed', code, text, fatal: true, running: false });
  }

  private hear(report: Report): void {
    const { story, surface } = this;
    const awaited = story.awaits('ready');
    story.take(report);
    if (report.type === 'ready') {
      this.writeAddress();
      if (report.from !== 'before') this.begun();
      else if (awaited && !story.awaits('ready')) {
        const { digits, temperature } = story.settings;
        surface.say(`From now on: handwriting of ${ranges(digits)}, temperature ${temperature}.`);
      }
    } else if (report.type === 'stopped' && report.why === 'done') {
      this.wish = false;
      this.enter('done');
      surface.say(`Done: ${count(report.iteration)} iterations. “Go on” does as many again.`);
    } else if (report.type === 'stopped') {
      if (story.mode === 'paused') surface.say(`Paused after iteration ${count(report.iteration)}.`);
    } else if (report.type === 'saved') {
      download(report.name, report.bytes, 'application/octet-stream');
      surface.say(`Saved ${report.name}.`);
    } else if (report.type === 'loaded') {
      surface.calm();
      surface.say(`Opened ${report.text}.`);
    } else if (report.type === 'lost') {
      const from = Math.min(...report.iterations.map(([, iteration]) => iteration));
      const then = story.mode === 'running' ? 'training continues from' : 'the trainings are back at';
      surface.say(`The GPU was lost; ${then} iteration ${count(from)} on a new one.`);
    } else if (report.type === 'failed') {
      if (report.fatal) {
        this.enter('failed');
        surface.say(story.adapter === null ? 'Nothing can be trained here.' : 'Nothing is trained now.');
      } else if (!report.running && story.mode === 'running') {
        this.enter('paused');
        surface.say(`Stopped after iteration ${count(story.iteration)}.`);
      }
      surface.warn(report.code, report.text);
    }
    surface.changed();
  }

  /** The trainings were started, or opened from a file. */
  private begun(): void {
    this.surface.calm();
    // Nobody's processor, and nobody's eyes, are put to work unasked.
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.wish ??= this.story.adapter?.software === false && !still;
    if (this.wish) {
      this.enter('running');
      this.surface.say('Training.');
      if (!this.asleep && !document.hidden) this.send({ type: 'run' });
      else this.asleep = true;
    } else {
      this.enter('ready');
      this.surface.say('Ready: press Start.');
    }
  }

  /** Nothing is trained while nobody looks. */
  private sleep(hidden: boolean): void {
    if (hidden && this.story.mode === 'running') {
      this.asleep = true;
      this.send({ type: 'pause' });
    } else if (!hidden && this.asleep) {
      this.asleep = false;
      if (this.story.mode === 'running') this.send({ type: 'run' });
    }
  }

  private enter(mode: Mode): void {
    this.story.mode = mode;
    this.surface.changed();
  }

  private followAddress(): void {
    const next = parseSettings(location.hash);
    const { settings, obeys } = this.story;
    this.choose(next);
    if (obeys && next.run !== undefined && next.run !== settings.run) next.run ? this.start() : this.pause();
  }

  private writeAddress(): void {
    const shown = showSettings(this.story.settings);
    history.replaceState(null, '', shown ? `#${shown}` : location.pathname + location.search);
  }
}
