import type { Method } from '../src/train/options.ts';
import { csvOf } from './csv.ts';
import { download } from './dom.ts';
import type { Command, Report } from './protocol.ts';
import { parseSettings, type Settings, showSettings } from './settings.ts';
import { type Mode, Story } from './story.ts';
import { count, ranges } from './words.ts';

// No network that this page opens comes near.
const LARGEST_FILE = 64 * 2 ** 20;

/** What the page shows of itself beside the story. */
export interface Surface {
  /** Something changed that is drawn. */
  changed(): void;
  /** A sentence on what happens now, read aloud. */
  say(text: string): void;
  /** Something is wrong, by its code or in its own words; nothing is wrong any more. */
  warn(code: string, text: string): void;
  calm(): void;
}

/** The page's side of the trainings: holds the settings and the story, and tells the worker what the visitor wants. */
export class App {
  readonly story = new Story();
  settings: Settings = parseSettings(location.hash);
  private readonly worker = new Worker('worker.js', { type: 'module' });
  /** Whether training is to go on when it can. */
  private wish: boolean | undefined = this.settings.run;
  private asleep = false;

  constructor(private readonly surface: Surface) {
    this.worker.onmessage = ({ data }: MessageEvent<Report>) => this.hear(data);
    this.worker.onerror = ({ message }) =>
      this.hear({ type: 'failed', code: '', text: message || 'the worker did not load', fatal: true, running: false });
    document.addEventListener('visibilitychange', () => this.sleep(document.hidden));
    addEventListener('hashchange', () => this.choose(parseSettings(location.hash)));
    this.send({ type: 'begin', settings: this.settings });
  }

  start(): void {
    this.wish = true;
    this.enter('running');
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
    this.send({ type: 'step' });
  }

  startOver(): void {
    this.enter('loading');
    this.surface.calm();
    this.surface.say('Starting over.');
    this.send({ type: 'begin', settings: this.settings });
  }

  /** Other settings: training goes on with them, or starts over where they are of another beginning. */
  choose(change: Partial<Settings>): void {
    const [before, next] = [this.settings, { ...this.settings, ...change }];
    const differs = (...names: (keyof Settings)[]) => names.some((name) => String(before[name]) !== String(next[name]));
    this.settings = next;
    this.writeAddress();
    if (differs('speed')) this.send({ type: 'speed', speed: next.speed });
    if (differs('seed', 'batch')) this.startOver();
    else if (differs('methods', 'digits', 'temperature', 'tradeOff', 'updateSteps')) {
      this.surface.say(`From now on: handwriting of ${ranges(next.digits)}, temperature ${next.temperature}.`);
      this.send({ type: 'change', settings: next });
    }
    this.surface.changed();
  }

  draw(pixels: Uint8Array | null): void {
    this.send({ type: 'draw', pixels });
  }

  save(method: Method, what: 'training' | 'model'): void {
    this.send({ type: 'save', method, what });
  }

  async load(method: Method, file: File): Promise<void> {
    if (file.size > LARGEST_FILE)
      return this.surface.warn('', `${file.name} is too large to be a network of this page.`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    this.send({ type: 'load', method, name: file.name, bytes });
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

  private send(command: Command): void {
    this.worker.postMessage(command);
  }

  private hear(report: Report): void {
    const { story, surface } = this;
    story.take(report);
    if (report.type === 'ready' && report.anew) this.begun();
    else if (report.type === 'stopped' && report.why === 'done') {
      this.wish = false;
      this.enter('done');
      surface.say(`Done: ${count(report.iteration)} iterations. “Go on” does as many again.`);
    } else if (report.type === 'saved') {
      download(report.name, report.bytes, 'application/octet-stream');
      surface.say(`Saved ${report.name}.`);
    } else if (report.type === 'loaded') {
      const { speed, run } = this.settings;
      this.settings = { ...this.settings, ...report.settings, speed, run };
      this.writeAddress();
      surface.calm();
      surface.say(`Opened ${report.text}.`);
    } else if (report.type === 'lost') {
      const from = Math.min(...report.iterations.map(([, iteration]) => iteration));
      surface.say(`The GPU was lost; training goes on from iteration ${count(from)} on a new one.`);
    } else if (report.type === 'failed') {
      if (report.fatal) {
        this.enter('failed');
        surface.say('Nothing is trained now.');
      } else if (!report.running && story.mode === 'running') {
        this.enter('paused');
        surface.say(`Stopped after iteration ${count(story.iteration)}.`);
      }
      surface.warn(report.code, report.text);
    }
    surface.changed();
  }

  /** The trainings stand at a new beginning. */
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

  private writeAddress(): void {
    const shown = showSettings(this.settings);
    history.replaceState(null, '', shown ? `#${shown}` : location.pathname + location.search);
  }
}
