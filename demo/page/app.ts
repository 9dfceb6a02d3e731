// Turns the visitor's actions into commands to the worker, and the worker's reports into the state that the views draw.

import type { MethodName } from '../../src/train/methods/named.ts';
import { copyLink, download } from '../shared/dom.ts';
import type { Screen } from '../shared/screen.ts';
import { LINK_COPIED, LINK_NOT_COPIED, UNKNOWN_ERROR } from '../shared/words.ts';
import { csvOf } from './csv.ts';
import type { Command, Labeller, OwnFile, Report, SavedKind, Side } from './protocol.ts';
import { defaultSettings, parseSettings, type Settings, showSettings } from './settings.ts';
import { type Mode, PageState } from './state.ts';
import { ERRORS, STATUS } from './words.ts';

// Checkpoints of this page's networks are much smaller.
const LARGEST_FILE_MB = 64;

export class App {
  readonly state = new PageState(parseSettings(location.hash));
  /** Whether training should run as soon as it can. */
  private wantsToRun: boolean | undefined = this.state.settings.run;
  private asleep = false;
  private worker: Worker | undefined;

  /** Without WebGPU (`canTrain` is false) the visitor can still choose settings, to share them. */
  constructor(
    private readonly screen: Screen,
    readonly canTrain: boolean,
  ) {
    addEventListener('hashchange', () => this.followAddress());
    if (!canTrain) {
      this.fail('NO_WEBGPU', '');
      return;
    }
    document.addEventListener('visibilitychange', () => this.sleep(document.hidden));
    this.begin();
  }

  start(): void {
    this.wantsToRun = true;
    this.enter('running');
    this.screen.clearWarning();
    this.screen.say(STATUS.training);
    this.choose({ run: true });
    this.send({ type: 'run' });
  }

  pause(): void {
    this.wantsToRun = false;
    this.enter('paused');
    this.screen.say(STATUS.pausedAt(this.state.iteration));
    this.choose({ run: false });
    this.send({ type: 'pause' });
  }

  toggle(): void {
    if (this.state.mode === 'running') this.pause();
    else this.start();
  }

  step(): void {
    if (this.state.mode === 'running') this.pause();
    this.enter('paused');
    this.screen.clearWarning();
    this.screen.say(STATUS.oneStep);
    this.send({ type: 'step' });
  }

  restart(): void {
    this.screen.clearWarning();
    this.screen.say(STATUS.restarting);
    this.begin();
  }

  /** Applies other settings. Training continues with them; another seed or batch size restarts it. */
  choose(change: Partial<Settings>): void {
    const { state, screen } = this;
    const [before, next] = [state.settings, { ...state.settings, ...change }];
    const differs = (...names: (keyof Settings)[]) => names.some((name) => String(before[name]) !== String(next[name]));
    if (differs('speed')) this.send({ type: 'speed', speed: next.speed });
    if (differs('task')) {
      next.classes = change.classes ?? defaultSettings.classes;
      this.screen.clearWarning();
    }
    const ofOwn = next.task === 'own' && differs('size', 'resize', 'channels');
    const restarts = this.canTrain && (differs('task', 'seed', 'batch') || ofOwn);
    if (ofOwn) state.own.forgetSets();
    if (
      restarts ||
      (next.task === 'own' && !state.own.canTrain) ||
      !differs('methods', 'classes', 'temperature', 'tradeOff', 'updateSteps', 'threshold', 'pseudoFrom')
    )
      state.settings = next;
    else {
      const revision = state.choose(next);
      if (state.mode !== 'failed') {
        screen.clearWarning();
        screen.say(STATUS.applying);
        this.send({ type: 'change', settings: next, revision });
      }
    }
    this.writeAddress();
    if (restarts) this.restart();
    screen.changed();
  }

  draw(pixels: Uint8Array | null): void {
    const drawing = this.state.draw(pixels === null);
    this.send({ type: 'draw', pixels, drawing });
    this.screen.changed();
  }

  save(method: MethodName, what: SavedKind): void {
    this.send({ type: 'save', method, what });
  }

  async load(method: MethodName, file: File): Promise<void> {
    const bytes = await this.bytesOf(file);
    if (bytes) this.send({ type: 'load', method, name: file.name, bytes });
  }

  /** Returns the bytes of a file, or undefined after a warning. */
  private async bytesOf(file: File): Promise<Uint8Array | undefined> {
    const { name } = file;
    try {
      if (file.size <= LARGEST_FILE_MB * 2 ** 20) return new Uint8Array(await file.arrayBuffer());
      this.screen.warn('', ERRORS.tooLarge(name, LARGEST_FILE_MB));
    } catch (error) {
      this.screen.warn('', ERRORS.unreadable(name, (error as Error).message));
    }
    return undefined;
  }

  /** Reads a folder of own images. */
  openFolder(side: Side, folder: string, files: readonly OwnFile[]): void {
    const { own } = this.state;
    const model = own.model;
    own.choose(side, folder, files);
    // Without the model, images may need another form.
    if (model && !own.model) own.forgetSets();
    this.screen.clearWarning();
    this.begin();
  }

  /** Opens a model to label own images with. */
  async openModel(file: File): Promise<void> {
    const bytes = await this.bytesOf(file);
    if (bytes) this.send({ type: 'model', name: file.name, bytes });
  }

  /** Labels all own images of the target. */
  label(by: Labeller): void {
    this.state.own.labelling = by;
    this.screen.clearWarning();
    this.screen.say(STATUS.labelling);
    this.send({ type: 'label', by });
    this.screen.changed();
  }

  /** Analyses all runs as they are now. Training waits meanwhile. */
  analyse(): void {
    this.state.analyse();
    this.screen.clearWarning();
    this.screen.say(STATUS.analysing(this.state.runs[0]!.method, 0));
    this.send({ type: 'analyse' });
    this.screen.changed();
  }

  saveMetrics(): void {
    download('padagrad-metrics.csv', csvOf(this.state.runs, this.state.classNames.length), 'text/csv');
  }

  warn(text: string): void {
    this.screen.warn('', text);
  }

  async share(): Promise<void> {
    this.screen.say((await copyLink()) ? LINK_COPIED : LINK_NOT_COPIED);
  }

  private begin(): void {
    const { settings, own } = this.state;
    this.worker ??= this.startWorker();
    if (settings.task === 'own' && !own.canTrain) {
      this.waitForImages();
      return;
    }
    this.enter('loading');
    own.labels = undefined;
    this.send({ type: 'begin', settings, revision: this.state.choose(settings, true) });
  }

  /** Shows no runs until the visitor has chosen images and they are read, which makes it begin. */
  private waitForImages(): void {
    const { state, screen } = this;
    state.close();
    this.send({ type: 'close' });
    for (const command of state.own.unread(state.settings)) this.send(command);
    this.enter('choosing');
    screen.say(state.own.isReading ? STATUS.reading : state.own.canLabel ? STATUS.canLabel : STATUS.choose);
  }

  private startWorker(): Worker {
    // A worker from a file of its own would follow the policy that the server sends with that file. This one follows the page's policy,
    // whatever the server sends: it can ask no other server for anything.
    const script = new Blob([`import ${JSON.stringify(new URL('worker.js', document.baseURI))};`], {
      type: 'text/javascript',
    });
    const address = URL.createObjectURL(script);
    const worker = new Worker(address, { type: 'module', name: new URL('.', document.baseURI).href });
    worker.onmessage = ({ data }: MessageEvent<Report>) => this.hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      // After an error that it did not report itself, the worker is in an unknown state.
      worker.terminate();
      this.worker = undefined;
      // It also had the images and the model.
      this.state.own.forgetSets();
      this.state.own.model = undefined;
      this.fail('', ERRORS.worker(event.message || UNKNOWN_ERROR));
    };
    return worker;
  }

  private send(command: Command): void {
    this.worker?.postMessage(command);
  }

  /** Reports an error after which only a restart helps. */
  private fail(code: string, text: string): void {
    this.hear({ type: 'failed', code, text, fatal: true, running: false });
  }

  private hear(report: Report): void {
    const { state, screen } = this;
    const awaited = state.awaits('ready');
    const analysed = state.awaits('analyses') && report.type === 'failed';
    state.take(report);
    if (report.type === 'ready') {
      this.writeAddress();
      if (report.from !== 'before') this.begun();
      else if (awaited && !state.awaits('ready')) {
        const { task, classes, temperature } = state.settings;
        screen.say(STATUS.changed(task, classes, temperature));
      }
    } else if (report.type === 'stopped' && report.why === 'done') {
      this.wantsToRun = false;
      this.enter('done');
      screen.say(STATUS.finished(report.iteration));
    } else if (report.type === 'stopped') {
      if (state.mode === 'paused') screen.say(STATUS.pausedAt(report.iteration));
    } else if (report.type === 'read' || report.type === 'model') {
      if (state.settings.task === 'own') this.begin();
    } else if (report.type === 'labels') {
      screen.say(STATUS.labelled(report.names.length));
    } else if (report.type === 'analysing') {
      screen.say(STATUS.analysing(report.method, report.share));
    } else if (report.type === 'analyses') {
      screen.say(state.mode === 'running' ? STATUS.training : STATUS.analysed);
    } else if (report.type === 'saved') {
      download(report.name, report.bytes, 'application/octet-stream');
      screen.say(STATUS.saved(report.name));
    } else if (report.type === 'loaded') {
      screen.clearWarning();
      screen.say(STATUS.opened(report.name, report.method, report.iteration));
    } else if (report.type === 'lost') {
      const iteration = Math.min(...report.iterations.map(([, done]) => done));
      screen.say(STATUS.lost(iteration, state.mode === 'running'));
    } else if (report.type === 'failed') {
      if (report.fatal) {
        this.enter('failed');
        screen.say(state.adapter === null ? STATUS.noGpu : STATUS.stopped);
      } else if (!report.running && state.mode === 'running') {
        this.enter('paused');
        screen.say(STATUS.stoppedAt(state.iteration));
      } else if (analysed) screen.say(state.mode === 'running' ? STATUS.training : STATUS.notAnalysed);
      screen.warn(report.code, report.text);
    }
    screen.changed();
  }

  /** The runs were restarted, or opened from a file. */
  private begun(): void {
    this.screen.clearWarning();
    // Training starts by itself only on a real GPU, and not for visitors who prefer reduced motion.
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.wantsToRun ??= this.state.adapter?.software === false && !still;
    if (this.wantsToRun) {
      this.enter('running');
      this.screen.say(STATUS.training);
      if (!this.asleep && !document.hidden) this.send({ type: 'run' });
      else this.asleep = true;
    } else {
      this.enter('ready');
      this.screen.say(STATUS.ready);
    }
  }

  /** Pauses while the page is hidden. */
  private sleep(hidden: boolean): void {
    if (hidden && this.state.mode === 'running') {
      this.asleep = true;
      this.send({ type: 'pause' });
    } else if (!hidden && this.asleep) {
      this.asleep = false;
      if (this.state.mode === 'running') this.send({ type: 'run' });
    }
  }

  private enter(mode: Mode): void {
    this.state.mode = mode;
    this.screen.changed();
  }

  private followAddress(): void {
    const next = parseSettings(location.hash);
    const { settings, hasRuns } = this.state;
    this.choose(next);
    if (hasRuns && next.run !== undefined && next.run !== settings.run) next.run ? this.start() : this.pause();
  }

  private writeAddress(): void {
    const shown = showSettings(this.state.settings);
    history.replaceState(null, '', shown ? `#${shown}` : location.pathname + location.search);
  }
}
