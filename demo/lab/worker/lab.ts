// The worker's side of the lab. It opens, checks and times kernels, one command after the other, on one GPU.
import type { OpenCase } from '../../../bench/harness/openCase.ts';
import { deviceBlock } from '../../../bench/harness/report.ts';
import { failedRow, type Row } from '../../../bench/harness/row.ts';
import { Session } from '../../../bench/harness/session.ts';
import { casesOf, runSuite } from '../../../bench/harness/suite.ts';
import { benches } from '../../../bench/index.ts';
import { measureVariants, subjectsOf } from '../../../bench/variants.ts';
import { measurePeaks, type Peaks } from '../../../src/debug/peaks.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { WgslModule } from '../../../src/gpu/wgsl.ts';
import { openGpu } from '../../shared/openGpu.ts';
import type { Check, Choice, Command, Edits, Report, Source, Timing } from '../protocol.ts';
import { PHASES, PROBLEMS } from '../words.ts';
import { check } from './check.ts';
import { codesOf, compile, openDevice, openEdited, tryLoops } from './edited.ts';
import { EditedModule, filesOf } from './editedModule.ts';
import { OpenKernels } from './openKernels.ts';
import { caseOf, showWorkload, type WorkloadCases, workloadsOf } from './workloads.ts';

const TURNS = 3;
const SAMPLING = { seconds: 0.15, samples: 5 };
const PEAK_SECONDS = { software: 0.02, hardware: 0.1 };
// A kernel is taken to hang after this multiple of the shipped kernel's time, and at least this time.
const PATIENCE = 200;
const LEAST_PATIENCE_MS = 5000;

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export class Lab {
  private opened: Gpu | undefined;
  private peaks: Peaks | null = null;
  private workloads: WorkloadCases[] = [];
  private kernels!: OpenKernels;
  private benchmark = new AbortController();

  constructor(
    private readonly report: (report: Report) => void,
    /** The text of every WGSL file, by path. */
    private readonly sources: Edits,
  ) {}

  /** Stops the benchmark after its current row. It does not wait for other commands. */
  stop(): void {
    this.benchmark.abort();
  }

  async take(command: Command): Promise<void> {
    // The page already knows that there is no GPU.
    if (!this.opened && command.type !== 'begin') return;
    try {
      if (command.type === 'begin') await this.begin(command);
      if (command.type === 'open') await this.open(command.choice);
      if (command.type === 'run') await this.run(command);
      if (command.type === 'bench') await this.bench(command);
    } catch (error) {
      const code = error instanceof GpuError ? error.code : '';
      this.report({ type: 'failed', code, text: (error as Error).message });
    }
    const { type } = command;
    if (type === 'open' || type === 'run' || type === 'bench') this.report({ type: 'idle', after: type });
  }

  private async begin({ peaks, again }: Of<'begin'>): Promise<void> {
    this.peaks = peaks;
    this.opened = (await openGpu(again)).gpu;
    this.workloads = workloadsOf(this.gpu);
    this.kernels = new OpenKernels(this.gpu, this.workloads);
    const { info } = this.gpu;
    const block = deviceBlock(this.gpu);
    this.report({ type: 'device', info, block, workloads: this.workloads.map(showWorkload) });
  }

  /** Opens a kernel and reports its files. */
  private async open(choice: Choice): Promise<void> {
    this.phase(PHASES.opening);
    const opened = await this.kernels.open(choice);
    this.report({ type: 'opened', choice, sources: this.modulesOf(opened).files });
  }

  private async run({ choice, edits }: Of<'run'>): Promise<void> {
    this.phase(PHASES.compiling);
    const { modules, files } = this.modulesOf(await this.kernels.open(choice));
    const say = (text: string) => this.phase(text);
    if (!files.some(({ path, text }) => text !== (edits[path] ?? text))) {
      const { checks } = await this.kernels.check(choice, say);
      this.report({ type: 'checked', edited: false, checks });
      if (allCorrect(checks)) await this.time(choice);
      return;
    }
    const edited = modules
      .map(([module, joined]) => [module, joined, withEdits(joined, edits)] as const)
      .filter(([, joined, changed]) => changed.some(({ text }, i) => text !== joined[i]!.text))
      .map(([module, , changed]) => new EditedModule(module, changed));
    const gpu = await openDevice(this.gpu);
    try {
      const faults = await compile(gpu.native, edited);
      if (faults.length > 0) return this.report({ type: 'faults', faults });
      const redeclared = edited.find(({ asDeclared }) => !asDeclared);
      if (redeclared) throw new GpuError('KERNEL', PROBLEMS.redeclared);
      const { opened: original, milliseconds } = await this.kernels.check(choice, say);
      const patience = Math.max(LEAST_PATIENCE_MS, PATIENCE * milliseconds);
      const one = caseOf(this.workloads, choice);
      this.phase(PHASES.guarding, patience);
      await tryLoops(one, edited, original);
      this.phase(PHASES.compiling);
      const opened = await openEdited(one, codesOf(edited), gpu);
      try {
        this.phase(PHASES.checking, patience);
        opened.step.run();
        const checks = await check(opened, original);
        this.report({ type: 'checked', edited: true, checks });
        if (allCorrect(checks)) await this.time(choice, opened);
      } finally {
        opened.dispose();
      }
    } finally {
      gpu.dispose();
    }
  }

  /** Times a checked kernel, alternating with the shipped one, then each other kernel of the workload. */
  private async time(choice: Choice, edited?: OpenCase): Promise<void> {
    const { kernels } = this;
    const names = kernels.names(choice);
    const compared = [...new Set([choice.kernel, names.at(-1)!])];
    const own = await this.timeTogether(choice, compared, edited);
    const show = () => {
      const timings = names.flatMap((name): Timing[] => {
        const row = kernels.rows.get(name);
        if (!row) return [];
        if (name !== choice.kernel) return [{ name, role: 'other', row }];
        return [...(own ? [{ name, role: 'edited' as const, row: own }] : []), { name, role: 'original', row }];
      });
      this.report({ type: 'timed', timings });
    };
    show();
    for (const name of names.filter((one) => !kernels.rows.has(one))) {
      await this.timeTogether(choice, [name]);
      kernels.close(name);
      show();
    }
  }

  /** Checks and times shipped kernels, alternating with an edited one. Returns the row of the edited one. */
  private async timeTogether(choice: Choice, names: readonly string[], edited?: OpenCase): Promise<Row | undefined> {
    const peaks = await this.measuredPeaks();
    const cases = edited ? [edited] : [];
    const correct: string[] = [];
    for (const kernel of names) {
      const { opened, checks } = await this.kernels.check({ ...choice, kernel }, (text) => this.phase(text));
      const wrong = checks.find((one) => one.wrong > 0);
      if (wrong) {
        const head = { bench: choice.op, shape: choice.shape, peer: 'padagrad', kernel };
        this.kernels.rows.set(kernel, failedRow(head, PROBLEMS.wrongElements(wrong.wrong, wrong.result)));
        continue;
      }
      correct.push(kernel);
      cases.push(opened);
    }
    this.phase(PHASES.timing(names));
    const rows = await sideBySide(cases, peaks);
    const own = edited && rows.shift();
    for (const [i, kernel] of correct.entries()) this.kernels.rows.set(kernel, rows[i]!);
    return own;
  }

  private async bench({ only, quick, variants }: Of<'bench'>): Promise<void> {
    const { gpu } = this;
    const cases = casesOf(benches, gpu, { quick, ...(only && { only }) });
    // A stop may come while the peaks are measured.
    this.benchmark = new AbortController();
    const peaks = await this.measuredPeaks();
    let done = 0;
    const next = () => {
      const one = cases[done];
      if (one) this.phase(PHASES.measuring(one.bench, one.shape));
    };
    const onRow = (row: Row) => {
      this.report({ type: 'row', row, done: ++done, cases: cases.length });
      next();
    };
    next();
    const { signal } = this.benchmark;
    const { lost } = await runSuite(gpu, cases, peaks, { quick, onRow, signal });
    if (lost) throw lost;
    if (!variants) return;
    await measureVariants(gpu, subjectsOf(cases), {
      onSubject: (bench) => this.phase(PHASES.variants(bench)),
      onRow: (row) => this.report({ type: 'variants', row }),
      signal,
    });
  }

  private async measuredPeaks(): Promise<Peaks> {
    if (this.peaks) return this.peaks;
    this.phase(PHASES.peaks);
    const { software, hardware } = PEAK_SECONDS;
    this.peaks = await measurePeaks(this.gpu, this.gpu.info.software ? software : hardware);
    this.report({ type: 'peaks', peaks: this.peaks });
    return this.peaks;
  }

  /** Returns the modules that a case runs, and their files, each once. */
  private modulesOf({ step }: OpenCase): { modules: [WgslModule, Source[]][]; files: Source[] } {
    const modules = [...new Set(step.commands.dispatches.map(({ pipeline }) => pipeline.module))].map(
      (module): [WgslModule, Source[]] => [module, filesOf(module, this.sources)],
    );
    const files = new Map(modules.flatMap(([, joined]) => joined.map((file) => [file.path, file] as const)));
    return { modules, files: [...files.values()] };
  }

  private get gpu(): Gpu {
    return this.opened!;
  }

  private phase(text: string, patienceMs: number | null = null): void {
    this.report({ type: 'phase', text, patienceMs });
  }
}

/** Returns the rows of several cases. Their samples alternate, so a disturbance affects all of them. */
async function sideBySide(cases: readonly OpenCase[], peaks: Peaks): Promise<Row[]> {
  const sessions = cases.map(({ step }) => new Session(step.gpu, peaks, SAMPLING));
  const samples: number[][] = cases.map(() => []);
  for (let turn = 0; turn < TURNS; turn++)
    for (const [i, { step }] of cases.entries()) samples[i]!.push(...(await sessions[i]!.warm(step)));
  for (const session of sessions) session.dispose();
  return cases.map((one, i) => one.row(samples[i]!, null, peaks));
}

const allCorrect = (checks: readonly Check[]): boolean => checks.every(({ wrong }) => wrong === 0);

const withEdits = (files: readonly Source[], edits: Edits): Source[] =>
  files.map(({ path, text }) => ({ path, text: edits[path] ?? text }));
