// The worker's main loop. It obeys the page's commands and, between them, trains in slices short enough that the next
// command is obeyed at once. It also survives the loss of the GPU.
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { MethodName } from '../../../src/train/methods/named.ts';
import type { OpenGpu } from '../../shared/openGpu.ts';
import type { Awaited, Command, Labeller, Report, RunAnalysis, SavedKind, Side, Snapshot } from '../protocol.ts';
import type { Settings, TaskName } from '../settings.ts';
import type { TaskImages } from './images.ts';
import { Inbox } from './inbox.ts';
import type { OwnImages } from './own.ts';
import { decodeSaved, Runs } from './runs.ts';
import { SliceLength, SnapshotSchedule } from './schedule.ts';

const PROGRESS_MS = 250;
const KEEP_MS = 5000;
// If this many devices are lost without any progress in between, the next one would be lost too.
const MOST_LOSSES = 3;

type Of<T extends Report['type']> = Extract<Report, { type: T }>;

/** The sources of a runner's images and GPUs. A test replaces them. */
export interface Sources {
  images(task: Exclude<TaskName, 'own'>): Promise<TaskImages>;
  gpu(again: boolean): Promise<OpenGpu>;
}

export class Runner {
  private readonly inbox = new Inbox<Command>();
  private readonly downloaded = new Map<TaskName, TaskImages>();
  private own: Promise<OwnImages> | undefined;
  private gpu: Gpu | undefined;
  private runs: Runs | undefined;
  private slices = new SliceLength(0);
  private readonly schedule = new SnapshotSchedule();
  private running = false;
  private speed = Number.POSITIVE_INFINITY;
  /** Number of the settings that the runs have. */
  private revision = 0;
  private drawn: { pixels: Uint8Array | null; drawing: number } = { pixels: null, drawing: 0 };
  private losses = 0;
  private progressed = 0;
  private roundStart = 0;
  private kept = { ms: 0, iteration: 0 };

  constructor(
    private readonly report: (report: Report, transfer?: Transferable[]) => void,
    private readonly sources: Sources,
  ) {}

  take(command: Command): void {
    this.inbox.put(command);
  }

  async work(): Promise<never> {
    for (;;) {
      const command = this.inbox.take();
      if (command) await this.attempt(() => this.obey(command), command.type);
      else if (this.running) await this.attempt(() => this.advance(), 'training');
      else await this.inbox.wait();
    }
  }

  private async obey(command: Command): Promise<void> {
    const { type } = command;
    if (type === 'begin') return this.begin(command.settings, command.revision);
    if (type === 'speed') this.speed = command.speed;
    if (type === 'draw') this.drawn = command;
    if (type === 'close') {
      this.close();
      // So that the page can name the adapter, or say that there is none, before images are chosen.
      await this.device(false);
      return;
    }
    if (type === 'folder') return (await this.ownImages()).read(command);
    if (type === 'model') return (await this.ownImages()).open(command.bytes, command.name);
    if (type === 'label') return this.label(command.by);
    const { runs } = this;
    if (!runs) return;
    // A later command of these types replaces this one.
    if ((type === 'change' || type === 'draw') && this.inbox.some((later) => later.type === type)) return;
    if (type === 'run') this.start(runs);
    else if (type === 'pause') await this.stop(runs, 'asked');
    else if (type === 'step') await this.singleStep(runs);
    else if (type === 'change') await this.change(runs, command.settings, command.revision);
    else if (type === 'save') await this.save(runs, command.method, command.what);
    else if (type === 'load') await this.load(runs, command);
    else if (type === 'draw') await this.answer(runs);
    else if (type === 'analyse') await this.analyse(runs);
  }

  private async begin(settings: Settings, revision: number): Promise<void> {
    this.close();
    const images = await this.imagesOf(settings.task);
    this.speed = settings.speed;
    this.revision = revision;
    this.runs = new Runs(images, settings);
    await this.runs.open(await this.device(false));
    const { drawn } = this;
    this.ready(this.runs, 'start', drawn.pixels ? ['answers'] : []);
    if (drawn.pixels) await this.answer(this.runs);
  }

  private close(): void {
    this.running = false;
    this.runs?.close();
    this.runs = undefined;
  }

  private async imagesOf(task: TaskName): Promise<TaskImages> {
    if (task === 'own') return (await this.ownImages()).images();
    const images = this.downloaded.get(task) ?? (await this.sources.images(task));
    this.downloaded.set(task, images);
    return images;
  }

  /** Loads the code for own images only for visitors who have some. */
  private ownImages(): Promise<OwnImages> {
    const isReplaced = (side: Side) => this.inbox.some((later) => later.type === 'folder' && later.side === side);
    this.own ??= import('./own.ts').then(({ OwnImages }) => new OwnImages(this.report, isReplaced));
    return this.own;
  }

  private async label(by: Labeller): Promise<void> {
    if (by === 'model') {
      const own = await this.ownImages();
      const labels = await own.label(await this.device(false));
      return this.report({ type: 'labels', by, iteration: undefined, ...labels });
    }
    const { runs } = this;
    if (runs?.images.task !== 'own') return;
    const { iteration } = runs.run(by);
    const { classNames, target } = runs.images;
    this.report({ type: 'labels', by, iteration, classNames, names: target.names!, ...(await runs.run(by).label()) });
  }

  private ready(runs: Runs, from: Of<'ready'>['from'], next: readonly Awaited[] = []): void {
    this.schedule.invalidate();
    this.kept = { ms: performance.now(), iteration: runs.iteration };
    const { settings, iterations, data } = runs;
    const { samples } = data;
    this.report({ type: 'ready', settings, samples, iterations, revision: this.revision, from, next });
  }

  private async device(again: boolean): Promise<Gpu> {
    if (!this.gpu) {
      const { gpu, roundTripMs } = await this.sources.gpu(again);
      this.gpu = gpu;
      this.slices = new SliceLength(roundTripMs);
      this.report({ type: 'opened', adapter: { ...gpu.info } });
    }
    return this.gpu;
  }

  private start(runs: Runs): void {
    this.running = true;
    runs.extend();
  }

  private async stop(runs: Runs, why: Of<'stopped'>['why']): Promise<void> {
    this.running = false;
    await this.rest(runs, why);
  }

  private async singleStep(runs: Runs): Promise<void> {
    runs.extend();
    await this.slice(runs, runs.behind.length);
    await this.rest(runs, 'asked');
  }

  private async rest(runs: Runs, why: Of<'stopped'>['why']): Promise<void> {
    this.report({ type: 'stopped', iteration: runs.iteration, why });
    await this.progress(runs);
    if (this.schedule.dueAtRest(runs.iteration)) await this.snapshot(runs);
  }

  private async change(runs: Runs, settings: Settings, revision: number): Promise<void> {
    await this.progress(runs);
    const otherClasses = settings.classes.join() !== runs.settings.classes.join();
    await runs.change(await this.device(false), settings);
    this.revision = revision;
    this.schedule.invalidate();
    // Other digits have no scores until the networks see them, so a snapshot is due at once.
    const due = otherClasses ? runs.iteration > 0 : !this.running && this.schedule.dueAtRest(runs.iteration);
    const snaps = due && !this.inbox.some(({ type }) => type === 'change' || type === 'begin');
    this.ready(runs, 'before', snaps ? ['progress', 'snapshots'] : ['progress']);
    await this.progress(runs);
    if (snaps) await this.snapshot(runs);
  }

  /** Trains one slice, then does what is due after it. */
  private async advance(): Promise<void> {
    const runs = this.runs!;
    const { left } = runs;
    if (left === 0) return this.stop(runs, 'done');
    let steps = Math.min(this.slices.steps, left);
    if (Number.isFinite(this.speed)) {
      await this.inbox.wait(Math.max(0, this.roundStart + 1000 / this.speed - performance.now()));
      if (this.inbox.some(() => true)) return;
      this.roundStart = performance.now();
      steps = runs.behind.length;
    }
    await this.slice(runs, steps);
    const now = performance.now();
    if (now - this.progressed >= PROGRESS_MS) await this.progress(runs);
    const level = runs.behind.length === runs.going.length;
    if (level && this.schedule.dueInTraining(runs.iteration, now)) await this.snapshot(runs);
    if (now - this.kept.ms >= KEEP_MS && runs.iteration > this.kept.iteration) await this.keep(runs);
  }

  private async slice(runs: Runs, steps: number): Promise<void> {
    const start = performance.now();
    for (let i = 0; i < steps; i++) await runs.step();
    await this.gpu!.idle();
    this.slices.measured(steps, performance.now() - start);
  }

  private async progress(runs: Runs): Promise<void> {
    const measured = await Promise.all(runs.all.map((run) => run.progress()));
    this.progressed = performance.now();
    const all = runs.all.map((run, i) => ({ ...measured[i]!, ended: runs.hasEnded(run) }));
    this.report({ type: 'progress', runs: all, msPerStep: this.slices.msPerStep, revision: this.revision });
  }

  private async snapshot(runs: Runs): Promise<void> {
    const start = performance.now();
    const snapshots: [MethodName, Snapshot][] = [];
    for (const run of runs.all) snapshots.push([run.method, await run.snapshot()]);
    this.schedule.taken(runs.iteration, start, performance.now());
    this.report({ type: 'snapshots', snapshots, revision: this.revision });
    if (this.drawn.pixels) await this.answer(runs);
  }

  private async keep(runs: Runs): Promise<void> {
    await runs.keep();
    this.kept = { ms: performance.now(), iteration: runs.iteration };
    this.losses = 0;
  }

  private async answer({ all, images }: Runs): Promise<void> {
    const { revision } = this;
    const { pixels, drawing } = this.drawn;
    if (!pixels || images.task !== 'digits') return this.report({ type: 'answers', answers: null, drawing, revision });
    const answers: [MethodName, Float32Array][] = [];
    for (const run of all) answers.push([run.method, await run.answer(pixels)]);
    this.report({ type: 'answers', answers, drawing, revision });
  }

  private async analyse(runs: Runs): Promise<void> {
    const { revision } = this;
    const analyses: [MethodName, RunAnalysis][] = [];
    let reported = 0;
    for (const run of runs.all) {
      const onShare = (share: number): void => {
        if (performance.now() - reported < PROGRESS_MS) return;
        reported = performance.now();
        this.report({ type: 'analysing', method: run.method, share });
      };
      analyses.push([run.method, await run.analyse(onShare)]);
    }
    this.report({ type: 'analyses', analyses, revision });
  }

  private async save(runs: Runs, method: MethodName, what: SavedKind): Promise<void> {
    const run = runs.run(method);
    const name = `padagrad-${method}-${run.iteration}${what === 'network' ? '.model' : ''}.safetensors`;
    const bytes = await run.save(what);
    this.report({ type: 'saved', name, bytes }, [bytes.buffer]);
  }

  private async load(runs: Runs, { method, name, bytes }: Extract<Command, { type: 'load' }>): Promise<void> {
    const saved = await decodeSaved(bytes, name);
    if ('checkpoint' in saved) {
      const { iteration, method: of } = saved.checkpoint;
      const next = Runs.from(runs.images, runs.settings, saved.checkpoint);
      // The current runs are closed only once the file is known to work.
      await next.open(await this.device(false));
      runs.close();
      this.runs = next;
      this.ready(next, 'file', ['progress', 'snapshots']);
      this.report({ type: 'loaded', name, method: of.name as MethodName, iteration });
      await this.progress(next);
    } else {
      runs.run(method).loadNetwork(saved.network);
      this.schedule.invalidate();
      this.report({ type: 'loaded', name, method, iteration: undefined });
    }
    await this.snapshot(this.runs!);
  }

  /** Does some work, again on another GPU if this one was lost, and reports any other error to the page. */
  private async attempt(work: () => Promise<void>, what: Command['type'] | 'training'): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const remaining = await this.recover(error);
        if (remaining) return this.fail(remaining as Error, what);
      }
    }
  }

  /** Recovers from the loss of the GPU. Returns any other error, or the loss that was one too many. */
  private async recover(error: unknown): Promise<unknown> {
    const { runs } = this;
    const lost = error instanceof GpuError && error.code === 'GPU_LOST';
    if (!lost || !runs || ++this.losses >= MOST_LOSSES) return error;
    try {
      this.releaseGpu();
      await runs.open(await this.device(true));
    } catch (again) {
      return this.recover(again);
    }
    this.report({ type: 'lost', iterations: runs.iterations });
    this.ready(runs, 'before');
    return undefined;
  }

  private fail(error: Error, what: Command['type'] | 'training'): void {
    const code = error instanceof GpuError ? error.code : '';
    // After such an error the GPU is in an unknown state.
    if (code) this.releaseGpu();
    const fatal =
      code !== '' ||
      what === 'begin' ||
      what === 'change' ||
      (!this.runs?.all.length && what !== 'model' && what !== 'label');
    if (fatal) {
      this.runs?.close();
      this.runs = undefined;
      this.losses = 0;
    }
    if (fatal || what === 'training') this.running = false;
    this.report({ type: 'failed', code, text: error.message, fatal, running: this.running });
  }

  private releaseGpu(): void {
    this.runs?.close();
    this.gpu?.dispose();
    this.gpu = undefined;
  }
}
