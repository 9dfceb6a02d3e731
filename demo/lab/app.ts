// Turns the visitor's actions into commands to the worker, and the worker's reports into the state that the views draw.
// A kernel may hang the worker and its GPU; the worker is then replaced.
import { copyLink } from '../shared/dom.ts';
import type { Screen } from '../shared/screen.ts';
import { UNKNOWN_ERROR } from '../shared/words.ts';
import { type Address, mainFile, parseAddress, showAddress } from './address.ts';
import type { Choice, Command, Report } from './protocol.ts';
import { emptyBenchmark, emptyOutcome, emptyState, type LabState, type Work } from './state.ts';
import { PROBLEMS, STATUS } from './words.ts';

// A few frames.
const SHOWN_MS = 200;

export class LabApp {
  readonly state: LabState = emptyState();
  private worker!: Worker;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** Whether the worker is about to be replaced, so that its reports no longer count. */
  private ending = false;
  /** Whether the text was edited since the current run began. */
  private edited = false;
  /** Whether the current benchmark measures everything. */
  private wantsAll = false;
  /** Whether the current work has failed. */
  private failed = false;

  constructor(private readonly screen: Screen) {
    addEventListener('hashchange', () => this.choose(this.parse(location.hash)));
    this.begin(false);
  }

  /** Opens another op, shape, kernel or file. */
  choose(change: Partial<Address>): void {
    const { state } = this;
    const before = state.address;
    // A benchmark has to be stopped first.
    if (!before || state.work === 'bench') return;
    const next = this.parse(showAddress({ ...before, ...change }));
    if (same(next, before)) {
      state.address = next;
      this.settleFile();
      return;
    }
    // The current work is for another kernel.
    if (state.work === 'open' || state.work === 'run') this.restart();
    state.address = next;
    state.sources = [];
    state.outcome = undefined;
    this.open();
  }

  /** Keeps the edited text of a file. */
  edit(path: string, text: string): void {
    const { state } = this;
    const edits = new Map(state.edits);
    if (state.sources.some((one) => one.path === path && one.text === text)) edits.delete(path);
    else edits.set(path, text);
    state.edits = edits;
    this.edited = true;
    // The compile errors no longer stand at their lines.
    if (state.outcome?.faults.length) state.outcome = undefined;
    else if (state.outcome) state.outcome = { ...state.outcome, stale: true };
    this.screen.changed();
  }

  /** Restores the shipped text of all files of this kernel. */
  reset(): void {
    const { state } = this;
    const paths = state.sources.map(({ path }) => path);
    state.edits = new Map([...state.edits].filter(([path]) => !paths.includes(path)));
    state.outcome = undefined;
    this.screen.say(STATUS.reset);
    this.screen.changed();
  }

  run(): void {
    const { state, screen } = this;
    if (state.work || !state.address) return;
    state.outcome = undefined;
    this.edited = false;
    screen.clearWarning();
    this.enter('run');
    this.send({ type: 'run', choice: choiceOf(state.address), edits: Object.fromEntries(state.edits) });
  }

  /** Measures the benchmarks with these names, all if null; with `variants` also every variant of their GEMM kernels. */
  bench(only: readonly string[] | null, { quick, variants = false }: { quick: boolean; variants?: boolean }): void {
    if (this.state.work) return;
    this.state.bench = emptyBenchmark;
    this.wantsAll = variants;
    this.screen.clearWarning();
    this.enter('bench');
    this.send({ type: 'bench', only, quick, variants });
  }

  /** Stops the current work: a benchmark after its row, a kernel at once. */
  stop(): void {
    if (this.state.work === 'bench') {
      this.wantsAll = false;
      this.screen.say(STATUS.stoppingBenchmark);
      this.send({ type: 'stop' });
      return;
    }
    this.restart();
    this.screen.say(STATUS.stopped);
    this.open();
  }

  async share(): Promise<void> {
    this.screen.say((await copyLink()) ? STATUS.linkCopied : STATUS.linkNotCopied);
  }

  private parse(hash: string): Address {
    return parseAddress(hash, this.state.workloads, this.state.device?.info.software === true);
  }

  private begin(again: boolean): void {
    const worker = new Worker('worker.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Report>) => worker === this.worker && this.hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.worker) this.crash(event.message || UNKNOWN_ERROR);
    };
    this.worker = worker;
    this.send({ type: 'begin', peaks: this.state.peaks, again });
  }

  /** Replaces the worker, and ends everything that it does on its GPU. */
  private restart(): void {
    clearTimeout(this.patience);
    this.ending = false;
    this.worker.terminate();
    this.begin(true);
  }

  private open(): void {
    const { address } = this.state;
    if (!address) return;
    this.enter('open');
    this.send({ type: 'open', choice: choiceOf(address) });
  }

  private hear(report: Report): void {
    if (this.ending) return;
    const { state, screen } = this;
    clearTimeout(this.patience);
    if (report.type === 'device') {
      state.device = report;
      state.workloads = report.workloads;
      if (!state.address) {
        state.address = this.parse(location.hash);
        this.open();
      }
    } else if (report.type === 'opened') {
      state.sources = report.sources;
      this.settleFile();
    } else if (report.type === 'phase') {
      screen.say(report.text);
      if (report.patienceMs !== null) this.wait(report.patienceMs);
    } else if (report.type === 'peaks') state.peaks = report.peaks;
    else if (report.type === 'row') {
      const { rows } = state.bench;
      state.bench = { ...state.bench, rows: [...rows, report.row], cases: report.cases };
    } else if (report.type === 'variants') {
      state.bench = { ...state.bench, variants: [...state.bench.variants, report.row] };
    } else if (report.type === 'failed') this.fail(report);
    else if (report.type === 'idle') this.rest(report.after);
    else if (report.type === 'faults' && this.edited) {
      // The compile errors no longer stand at their lines.
      this.setProblem(PROBLEMS.outdated);
    } else {
      const { type: _, ...found } = report;
      state.outcome = { ...(state.outcome ?? emptyOutcome), ...found, stale: this.edited };
    }
    screen.changed();
  }

  private fail({ code, text }: { code: string; text: string }): void {
    const { state, screen } = this;
    this.failed = true;
    if (code === 'GPU_LOST') this.hang(PROBLEMS.gpuLost);
    else if (state.work === 'run') this.setProblem(text);
    else {
      if (!state.device || code === 'NO_ADAPTER') {
        state.device ??= null;
        screen.say(STATUS.noGpu);
      }
      screen.warn(code, text);
    }
  }

  /** After an error that the worker did not report itself. */
  private crash(message: string): void {
    const { state, screen } = this;
    clearTimeout(this.patience);
    this.worker.terminate();
    this.fail({ code: '', text: PROBLEMS.worker(message) });
    state.sources = [];
    state.device ??= null;
    state.work = 'loading';
    screen.say(STATUS.noGpu);
    screen.changed();
  }

  private setProblem(problem: string): void {
    const { state } = this;
    state.outcome = { ...(state.outcome ?? emptyOutcome), problem, stale: this.edited };
  }

  /** Gives the worker some time for a kernel that may never end. */
  private wait(ms: number): void {
    this.patience = setTimeout(() => {
      const seconds = ms < 9500 ? (ms / 1000).toFixed(0) : (Math.round(ms / 5000) * 5).toFixed(0);
      this.hang(PROBLEMS.slow(seconds));
      this.screen.changed();
    }, ms);
  }

  private hang(problem: string): void {
    const { state, screen } = this;
    if (state.work === 'run') this.setProblem(problem);
    else screen.warn('', problem);
    screen.say(STATUS.waitsForGpu(problem));
    screen.changed();
    this.ending = true;
    // Show this first, because the browser may freeze while it waits for the GPU.
    setTimeout(() => {
      this.restart();
      this.open();
    }, SHOWN_MS);
  }

  private rest(after: 'open' | 'run' | 'bench'): void {
    const { state, screen, failed } = this;
    state.work = undefined;
    const { outcome, bench } = state;
    const rows = bench.rows.length;
    if (after === 'open') screen.say(failed ? STATUS.cannotOpen : outcome ? STATUS.readyAgain : STATUS.ready);
    else if (after === 'bench') {
      state.bench = { ...bench, complete: this.wantsAll && !failed };
      screen.say(failed ? STATUS.benchmarkFailed(rows) : STATUS.benchmarkDone(rows));
    } else if (outcome?.problem) screen.say(STATUS.noResult);
    else if (outcome?.faults.length) screen.say(STATUS.compileError);
    else screen.say(outcome?.timings.length ? STATUS.correct : STATUS.wrong);
  }

  private enter(work: Work): void {
    this.state.work = work;
    this.failed = false;
    this.screen.changed();
  }

  private settleFile(): void {
    const { state } = this;
    const address = state.address!;
    const paths = state.sources.map(({ path }) => path);
    if (paths.length > 0 && !paths.includes(address.file)) address.file = mainFile(address.op, paths);
    history.replaceState(null, '', `#${showAddress(address)}`);
    this.screen.changed();
  }

  private send(command: Command): void {
    this.worker.postMessage(command);
  }
}

const choiceOf = ({ op, shape, kernel }: Address): Choice => ({ op, shape, kernel });

const same = (a: Choice, b: Choice): boolean => a.op === b.op && a.shape === b.shape && a.kernel === b.kernel;
