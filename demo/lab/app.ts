import { type Address, mainFile, parseAddress, showAddress } from './address.ts';
import type { Choice, Command, Report } from './protocol.ts';
import { emptyOutcome, emptyState, type State, type Work } from './state.ts';

// Some frames.
const SHOWN_MS = 200;

/** What the page shows of itself beside the state. */
export interface Surface {
  changed(): void;
  /** A sentence on what happens now, read aloud. */
  say(text: string): void;
  /** Something is wrong, by its code or in its own words; nothing is wrong any more. */
  warn(code: string, text: string): void;
  calm(): void;
}

/** The page's side of the lab: holds the state, tells the worker what the visitor wants, and ends it where it hangs. */
export class Desk {
  readonly state: State = emptyState();
  private worker!: Worker;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** Whether the worker is given up, whatever it still says. */
  private ending = false;
  /** Whether the text was changed since the run under way began. */
  private changed = false;
  /** Whether the work under way has failed. */
  private failed = false;

  constructor(private readonly surface: Surface) {
    addEventListener('hashchange', () => this.choose(parseAddress(location.hash, ...this.known())));
    this.begin(false);
  }

  /** Another op, shape, kernel or file. */
  choose(change: Partial<Address>): void {
    const { state } = this;
    const before = state.address;
    // While the bench runs nothing else does.
    if (!before || state.work === 'bench') return;
    const next = parseAddress(showAddress({ ...before, ...change }), ...this.known());
    if (same(next, before)) {
      state.address = next;
      this.settleFile();
      return;
    }
    // Work under way is for another kernel; what was found out is too.
    if (state.work === 'open' || state.work === 'run') this.restart();
    state.address = next;
    state.sources = [];
    state.outcome = undefined;
    this.open();
  }

  /** A file's text as the visitor has it now. */
  edit(path: string, text: string): void {
    const { state } = this;
    const edits = new Map(state.edits);
    if (state.sources.some((one) => one.path === path && one.text === text)) edits.delete(path);
    else edits.set(path, text);
    state.edits = edits;
    this.changed = true;
    // Lines move under the faults that were found.
    if (state.outcome?.faults.length) state.outcome = undefined;
    else if (state.outcome) state.outcome = { ...state.outcome, stale: true };
    this.surface.changed();
  }

  /** The shipped text again, of all files of this kernel. */
  reset(): void {
    const { state } = this;
    const paths = state.sources.map(({ path }) => path);
    state.edits = new Map([...state.edits].filter(([path]) => !paths.includes(path)));
    state.outcome = undefined;
    this.surface.say('As shipped.');
    this.surface.changed();
  }

  run(): void {
    const { state, surface } = this;
    if (state.work || !state.address) return;
    state.outcome = undefined;
    this.changed = false;
    surface.calm();
    this.enter('run');
    this.send({ type: 'run', choice: choiceOf(state.address), edits: Object.fromEntries(state.edits) });
  }

  bench(only: readonly string[] | null, quick: boolean): void {
    if (this.state.work) return;
    this.state.bench = { rows: [], cases: 0 };
    this.surface.calm();
    this.enter('bench');
    this.send({ type: 'bench', only, quick });
  }

  /** Ends what is under way: the bench after its row, a kernel at once. */
  stop(): void {
    if (this.state.work === 'bench') {
      this.surface.say('Stopping after this row.');
      this.send({ type: 'stop' });
      return;
    }
    this.restart();
    this.surface.say('Stopped.');
    this.open();
  }

  private known(): [State['subjects'], boolean] {
    return [this.state.subjects, this.state.machine?.info.software === true];
  }

  private begin(again: boolean): void {
    const worker = new Worker('worker.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Report>) => worker === this.worker && this.hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.worker) this.crash(event.message || 'it did not load');
    };
    this.worker = worker;
    this.send({ type: 'begin', peaks: this.state.peaks, again });
  }

  /** Ends the worker, and whatever it does on its GPU, and starts another one. */
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
    const { state, surface } = this;
    clearTimeout(this.patience);
    if (report.type === 'machine') {
      state.machine = report;
      state.subjects = report.subjects;
      if (!state.address) {
        state.address = parseAddress(location.hash, ...this.known());
        this.open();
      }
    } else if (report.type === 'opened') {
      state.sources = report.sources;
      this.settleFile();
    } else if (report.type === 'phase') {
      surface.say(report.text);
      if (report.patienceMs !== null) this.wait(report.patienceMs);
    } else if (report.type === 'peaks') state.peaks = report.peaks;
    else if (report.type === 'row') {
      const { rows } = state.bench;
      state.bench = { rows: [...rows, report.row], cases: report.cases };
    } else if (report.type === 'failed') this.fail(report);
    else if (report.type === 'idle') this.rest(report.after);
    else if (report.type === 'faults' && this.changed) {
      // Their lines are not where they were.
      this.fault('The text did not compile.');
    } else {
      const { type: _, ...found } = report;
      state.outcome = { ...(state.outcome ?? emptyOutcome), ...found, stale: this.changed };
    }
    surface.changed();
  }

  private fail({ code, text }: { code: string; text: string }): void {
    const { state, surface } = this;
    const { work } = state;
    this.failed = true;
    if (code === 'GPU_LOST') {
      this.hang('The GPU was lost, as it is when a kernel takes too long for its driver or touches what it must not.');
    } else if (work === 'run') this.fault(text);
    else {
      if (!state.machine || code === 'NO_ADAPTER') {
        state.machine ??= null;
        surface.say('Nothing can be run here.');
      }
      surface.warn(code, text);
    }
  }

  /** After an error that the worker did not report itself. */
  private crash(message: string): void {
    const { state, surface } = this;
    clearTimeout(this.patience);
    this.worker.terminate();
    this.fail({ code: '', text: `The worker that runs kernels has failed: ${message}. Load the page again.` });
    state.sources = [];
    state.machine ??= null;
    state.work = 'loading';
    surface.say('Nothing can be run here.');
    surface.changed();
  }

  private fault(problem: string): void {
    const { state } = this;
    state.outcome = { ...(state.outcome ?? emptyOutcome), problem, stale: this.changed };
  }

  /** For a kernel that may never end. */
  private wait(ms: number): void {
    this.patience = setTimeout(() => {
      const seconds = ms < 9500 ? (ms / 1000).toFixed(0) : (Math.round(ms / 5000) * 5).toFixed(0);
      this.hang(`The kernel did not end within ${seconds} seconds, so it was stopped.`);
      this.surface.changed();
    }, ms);
  }

  private hang(problem: string): void {
    const { state, surface } = this;
    if (state.work === 'run') this.fault(problem);
    else surface.warn('', problem);
    surface.say(`${problem} The lab stands ready again as soon as the GPU does.`);
    surface.changed();
    this.ending = true;
    // A browser may have to wait for the GPU to give it up, and shows nothing meanwhile: so this is shown first.
    setTimeout(() => {
      this.restart();
      this.open();
    }, SHOWN_MS);
  }

  private rest(after: 'open' | 'run' | 'bench'): void {
    const { state, surface } = this;
    state.work = undefined;
    const { outcome, bench } = state;
    if (after === 'open' && this.failed) surface.say('This kernel cannot be opened here.');
    else if (after === 'open') surface.say(outcome ? 'Ready again.' : 'Ready: change the kernel, or run it as it is.');
    else if (after === 'bench' && this.failed) surface.say(`Ended by an error after ${bench.rows.length} rows.`);
    else if (after === 'bench') surface.say(`Measured ${bench.rows.length} rows.`);
    else if (outcome?.problem) surface.say('No result: see why.');
    else if (outcome?.faults.length) surface.say('It does not compile.');
    else surface.say(outcome?.timings.length ? 'Right, and timed.' : 'Not right: see the result.');
  }

  private enter(work: Work): void {
    this.state.work = work;
    this.failed = false;
    this.surface.changed();
  }

  private settleFile(): void {
    const { state } = this;
    const address = state.address!;
    const paths = state.sources.map(({ path }) => path);
    if (paths.length > 0 && !paths.includes(address.file)) address.file = mainFile(address.op, paths);
    history.replaceState(null, '', `#${showAddress(address)}`);
    this.surface.changed();
  }

  private send(command: Command): void {
    this.worker.postMessage(command);
  }
}

const choiceOf = ({ op, shape, kernel }: Address): Choice => ({ op, shape, kernel });

const same = (a: Choice, b: Choice): boolean => a.op === b.op && a.shape === b.shape && a.kernel === b.kernel;
