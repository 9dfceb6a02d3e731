import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Method } from '../../../src/train/options.ts';
import { type OpenGpu, openGpu } from '../../shared/openGpu.ts';
import type { Command, Due, Report } from '../protocol.ts';
import type { Settings } from '../settings.ts';
import { type Digits, loadDigits } from './digits.ts';
import { Inbox } from './inbox.ts';
import { Pace } from './pace.ts';
import type { Lane } from './run.ts';
import { Contest } from './runs.ts';
import * as saved from './saved.ts';
import { Lookout } from './schedule.ts';

// As long as the runs whose figures the documents give; starting again goes on as long.
const RUN_ITERATIONS = 1500;
const PROGRESS_MS = 250;
const KEEP_MS = 5000;
// Devices lost one after the other, with nothing kept in between, will not hold the next time either.
const MOST_LOSSES = 3;

/** Where a conductor gets its digits and its GPUs from. */
export interface Sources {
  digits(): Promise<Digits>;
  machine(again: boolean): Promise<OpenGpu>;
}

/** Runs the contest: obeys the page, and between its commands trains, in slices that end soon. */
export class Conductor {
  private readonly inbox = new Inbox<Command>();
  private digits: Digits | undefined;
  private gpu: Gpu | undefined;
  private contest: Contest | undefined;
  private pace = new Pace(0);
  private lookout = new Lookout();
  private running = false;
  private goal = RUN_ITERATIONS;
  private speed = Number.POSITIVE_INFINITY;
  /** Number of the settings that the trainings have. */
  private revision = 0;
  private drawn: { pixels: Uint8Array | null; drawing: number } = { pixels: null, drawing: 0 };
  private losses = 0;
  private progressed = 0;
  private round = 0;
  private kept = { ms: 0, iteration: 0 };

  constructor(
    private readonly report: (report: Report, transfer?: Transferable[]) => void,
    private readonly sources: Sources = { digits: () => loadDigits('digits/'), machine: openGpu },
  ) {}

  take(command: Command): void {
    this.inbox.put(command);
  }

  async run(): Promise<never> {
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
    const { contest } = this;
    if (!contest) return;
    // A later command of these types replaces this one.
    if ((type === 'change' || type === 'draw') && this.inbox.some((later) => later.type === type)) return;
    if (type === 'run') this.start(contest);
    else if (type === 'pause') await this.stop(contest, 'asked');
    else if (type === 'step') await this.singleStep(contest);
    else if (type === 'change') await this.change(contest, command.settings, command.revision);
    else if (type === 'save') await this.save(contest, command.method, command.what);
    else if (type === 'load') await this.load(contest, command.method, command.name, command.bytes);
    else if (type === 'draw') await this.answer(contest);
  }

  private async begin(settings: Settings, revision: number): Promise<void> {
    this.running = false;
    this.contest?.close();
    this.contest = undefined;
    this.digits ??= await this.sources.digits();
    this.speed = settings.speed;
    this.revision = revision;
    this.contest = new Contest(this.digits, settings);
    await this.contest.open(await this.device(false));
    const { drawn } = this;
    this.ready(this.contest, 'start', drawn.pixels ? ['answers'] : []);
    if (drawn.pixels) await this.answer(this.contest);
  }

  private ready(contest: Contest, from: Extract<Report, { type: 'ready' }>['from'], next: readonly Due[] = []): void {
    this.lookout.forget();
    this.kept = { ms: performance.now(), iteration: contest.iteration };
    const { settings, iterations, material } = contest;
    const { samples } = material;
    this.report({ type: 'ready', settings, samples, iterations, revision: this.revision, from, next });
  }

  private async device(again: boolean): Promise<Gpu> {
    if (!this.gpu) {
      const { gpu, roundTripMs } = await this.sources.machine(again);
      this.gpu = gpu;
      this.pace = new Pace(roundTripMs);
      this.report({ type: 'opened', adapter: { ...gpu.info } });
    }
    return this.gpu;
  }

  private start(contest: Contest): void {
    this.running = true;
    this.goal = (Math.floor(contest.iteration / RUN_ITERATIONS) + 1) * RUN_ITERATIONS;
  }

  private async stop(contest: Contest, why: 'asked' | 'done'): Promise<void> {
    this.running = false;
    this.report({ type: 'stopped', iteration: contest.iteration, why });
    await this.progress(contest);
    await this.standStill(contest);
  }

  private async singleStep(contest: Contest): Promise<void> {
    await this.slice(contest, roundOf(contest));
    this.report({ type: 'stopped', iteration: contest.iteration, why: 'asked' });
    await this.progress(contest);
    await this.standStill(contest);
  }

  private async change(contest: Contest, settings: Settings, revision: number): Promise<void> {
    await this.progress(contest);
    const others = settings.digits.join() !== contest.settings.digits.join();
    await contest.change(await this.device(false), settings);
    this.revision = revision;
    this.lookout.forget();
    // Other digits have no scores until the networks see them, so that look is due at once.
    const due = others ? contest.iteration > 0 : !this.running && this.lookout.wanted(contest.iteration);
    const looks = due && !this.inbox.some(({ type }) => type === 'change' || type === 'begin');
    this.ready(contest, 'before', looks ? ['progress', 'looks'] : ['progress']);
    await this.progress(contest);
    if (looks) await this.look(contest);
  }

  /** One slice of training, and what is due after it. */
  private async advance(): Promise<void> {
    const contest = this.contest!;
    const left = contest.lanes.reduce((n, lane) => n + Math.max(0, this.goal - lane.iteration), 0);
    if (left === 0) return this.stop(contest, 'done');
    let steps = Math.min(this.pace.steps, left);
    if (Number.isFinite(this.speed)) {
      await this.inbox.wait(Math.max(0, this.round + 1000 / this.speed - performance.now()));
      if (this.inbox.some(() => true)) return;
      this.round = performance.now();
      steps = roundOf(contest);
    }
    await this.slice(contest, steps);
    const now = performance.now();
    if (now - this.progressed >= PROGRESS_MS) await this.progress(contest);
    if (contest.level && this.lookout.due(contest.iteration, now)) await this.look(contest);
    if (now - this.kept.ms >= KEEP_MS && contest.iteration > this.kept.iteration) await this.keep(contest);
  }

  private async slice(contest: Contest, steps: number): Promise<void> {
    const start = performance.now();
    for (let i = 0; i < steps; i++) await contest.step();
    await this.gpu!.idle();
    this.pace.measured(steps, performance.now() - start);
  }

  private async progress(contest: Contest): Promise<void> {
    const figures = await Promise.all(contest.lanes.map((lane) => lane.figures()));
    this.progressed = performance.now();
    this.report({ type: 'progress', figures, msPerStep: this.pace.msPerStep, revision: this.revision });
  }

  private async look(contest: Contest): Promise<void> {
    const start = performance.now();
    const looks: Extract<Report, { type: 'looks' }>['looks'] = [];
    for (const lane of contest.lanes) looks.push([lane.method, await lane.look()]);
    this.lookout.looked(contest.iteration, start, performance.now());
    this.report({ type: 'looks', looks, revision: this.revision });
    if (this.drawn.pixels) await this.answer(contest);
  }

  private async standStill(contest: Contest): Promise<void> {
    if (this.lookout.wanted(contest.iteration)) await this.look(contest);
  }

  private async keep(contest: Contest): Promise<void> {
    await contest.keep();
    this.kept = { ms: performance.now(), iteration: contest.iteration };
    this.losses = 0;
  }

  private async answer(contest: Contest): Promise<void> {
    const { revision } = this;
    const { pixels, drawing } = this.drawn;
    if (!pixels) return this.report({ type: 'answers', answers: null, drawing, revision });
    const answers: [Method, Float32Array][] = [];
    for (const lane of contest.lanes) answers.push([lane.method, await lane.answer(pixels)]);
    this.report({ type: 'answers', answers, drawing, revision });
  }

  private async save(contest: Contest, method: Method, what: 'training' | 'model'): Promise<void> {
    const { training } = laneOf(contest, method);
    const name = `padagrad-${method}-${training.iteration}${what === 'model' ? '.model' : ''}.safetensors`;
    const bytes = await saved.save(training, what);
    this.report({ type: 'saved', name, bytes }, [bytes.buffer]);
  }

  private async load(contest: Contest, method: Method, name: string, bytes: Uint8Array): Promise<void> {
    const found = await saved.open(bytes, name);
    if ('checkpoint' in found) {
      const { iteration, options } = found.checkpoint;
      const next = Contest.from(this.digits!, contest.settings, found.checkpoint);
      // The trainings of now go only after those of the file are known to work.
      await next.open(await this.device(false));
      contest.close();
      this.contest = next;
      this.ready(next, 'file', ['progress', 'looks']);
      const text = `${name}: ${options.method} after ${iteration} iterations`;
      this.report({ type: 'loaded', text });
      await this.progress(next);
    } else {
      laneOf(contest, method).loadModel(found.model);
      this.lookout.forget();
      this.report({ type: 'loaded', text: `${name}: a network, for ${method} to go on with` });
    }
    await this.look(this.contest!);
  }

  /** Does work, again on another GPU where this one was lost; tells the page what else goes wrong. */
  private async attempt(work: () => Promise<void>, what: Command['type'] | 'training'): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const unsurvived = await this.survive(error);
        if (unsurvived) return this.fail(unsurvived as Error, what);
      }
    }
  }

  /** Gets over the loss of the GPU. Returns the error that it could not get over: another one, or one loss too many. */
  private async survive(error: unknown): Promise<unknown> {
    const { contest } = this;
    const lost = error instanceof GpuError && error.code === 'GPU_LOST';
    if (!lost || !contest || ++this.losses >= MOST_LOSSES) return error;
    try {
      this.leave();
      await contest.open(await this.device(true));
    } catch (again) {
      return this.survive(again);
    }
    this.report({ type: 'lost', iterations: contest.iterations });
    this.ready(contest, 'before');
    return undefined;
  }

  private fail(error: Error, what: Command['type'] | 'training'): void {
    const code = error instanceof GpuError ? error.code : '';
    // A GPU that failed cannot be trusted any more.
    if (code) this.leave();
    const fatal = code !== '' || what === 'begin' || what === 'change' || !this.contest?.lanes.length;
    if (fatal) {
      this.contest?.close();
      this.contest = undefined;
      this.losses = 0;
    }
    if (fatal || what === 'training') this.running = false;
    this.report({ type: 'failed', code, text: error.message, fatal, running: this.running });
  }

  /** Gives up the GPU, with all that is on it. */
  private leave(): void {
    this.contest?.close();
    this.gpu?.dispose();
    this.gpu = undefined;
  }
}

function laneOf(contest: Contest, method: Method): Lane {
  const lane = contest.lane(method);
  if (!lane) throw new RangeError(`there is no training of ${method} now; choose it among the trainings first`);
  return lane;
}

/** Iterations after which the trainings that are furthest behind have done one more. */
const roundOf = ({ lanes, iteration }: Contest): number => lanes.filter((lane) => lane.iteration === iteration).length;
