import type { OpenCase } from '../../../bench/harness/openCase.ts';
import { deviceBlock } from '../../../bench/harness/report.ts';
import { failedRow, type Row } from '../../../bench/harness/row.ts';
import { Session } from '../../../bench/harness/session.ts';
import { casesOf, runSuite } from '../../../bench/harness/suite.ts';
import { benches } from '../../../bench/index.ts';
import { measurePeaks, type Peaks } from '../../../src/debug/peaks.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { WgslModule } from '../../../src/gpu/wgsl.ts';
import { openGpu } from '../../shared/openGpu.ts';
import type { Check, Choice, Command, Edits, Report, Source, Timing } from '../protocol.ts';
import { check } from './check.ts';
import { codesOf, compile, openDevice, openEdited, tryLoops } from './edited.ts';
import { EditedModule, filesOf } from './editedModule.ts';
import { Shelf } from './openKernels.ts';
import { type Cases, caseOf, showSubject, subjectsOf } from './workloads.ts';

const TURNS = 3;
const SAMPLING = { seconds: 0.15, samples: 5 };
const PEAK_SECONDS = { software: 0.02, hardware: 0.1 };
// A kernel that takes so many times longer than the shipped one, and so long, is taken to never end.
const PATIENCE = 200;
const LEAST_PATIENCE_MS = 5000;

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** Measures what the page asks for, one thing after the other, on one GPU. */
export class Lab {
  private machine: Gpu | undefined;
  private peaks: Peaks | null = null;
  private subjects: Cases[] = [];
  private shelf!: Shelf;
  private stop = new AbortController();

  constructor(
    private readonly report: (report: Report) => void,
    /** Every kernel's file, by its path. */
    private readonly sources: Edits,
  ) {}

  /** Not one of the others: it acts on what is under way. */
  interrupt(): void {
    this.stop.abort();
  }

  async take(command: Command): Promise<void> {
    // Without a GPU, which was reported, there is nothing to answer.
    if (!this.machine && command.type !== 'begin') return;
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
    this.machine = (await openGpu(again)).gpu;
    this.subjects = subjectsOf(this.gpu);
    this.shelf = new Shelf(this.gpu, this.subjects);
    const { info } = this.gpu;
    this.report({
      type: 'machine',
      info,
      block: deviceBlock(this.gpu),
      subjects: this.subjects.map(showSubject),
    });
  }

  /** Shows what a kernel is made of. */
  private async open(choice: Choice): Promise<void> {
    this.phase('Compiling the shipped kernel.');
    const opened = await this.shelf.take(choice);
    this.report({ type: 'opened', choice, sources: this.made(opened).files });
  }

  private async run({ choice, edits }: Of<'run'>): Promise<void> {
    this.phase('Compiling.');
    const { modules, files } = this.made(await this.shelf.take(choice));
    const say = (text: string) => this.phase(text);
    if (!files.some(({ path, text }) => text !== (edits[path] ?? text))) {
      const { checks } = await this.shelf.prove(choice, say);
      this.report({ type: 'checked', edited: false, checks });
      if (isRight(checks)) await this.time(choice);
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
      const strange = edited.find(({ asDeclared }) => !asDeclared);
      if (strange) throw new GpuError('KERNEL', REDECLARED);
      const { opened: original, milliseconds } = await this.shelf.prove(choice, say);
      const patience = Math.max(LEAST_PATIENCE_MS, PATIENCE * milliseconds);
      const one = caseOf(this.subjects, choice);
      this.phase('Running once with its loops counted.', patience);
      await tryLoops(one, edited, original);
      this.phase('Compiling.');
      const opened = await openEdited(one, codesOf(edited), gpu);
      try {
        this.phase('Running once, and comparing every element.', patience);
        opened.step.run();
        const checks = await check(opened, original);
        this.report({ type: 'checked', edited: true, checks });
        if (isRight(checks)) await this.time(choice, opened);
      } finally {
        opened.dispose();
      }
    } finally {
      gpu.dispose();
    }
  }

  /** Times what was found right in turns with what is shipped; then, by themselves, the other rungs of its ladder. */
  private async time(choice: Choice, edited?: OpenCase): Promise<void> {
    const peaks = await this.measuredPeaks();
    const { shelf } = this;
    const names = shelf.names(choice);
    const compared = [...new Set([choice.kernel, names.at(-1)!])];
    const own = await this.timeTogether(choice, compared, peaks, edited);
    const show = () => {
      const timings = names.flatMap((name): Timing[] => {
        const row = shelf.rows.get(name);
        if (!row) return [];
        if (name !== choice.kernel) return [{ name, role: 'rung', row }];
        return [...(own ? [{ name, role: 'edited' as const, row: own }] : []), { name, role: 'original', row }];
      });
      this.report({ type: 'timed', timings });
    };
    show();
    for (const name of names.filter((one) => !shelf.rows.has(one))) {
      await this.timeTogether(choice, [name], peaks);
      shelf.close(name);
      show();
    }
  }

  /** Times shipped kernels, each found right before; gives the row of the edited one. */
  private async timeTogether(
    choice: Choice,
    names: readonly string[],
    peaks: Peaks,
    edited?: OpenCase,
  ): Promise<Row | undefined> {
    const cases = edited ? [edited] : [];
    const right: string[] = [];
    for (const kernel of names) {
      const { opened, checks } = await this.shelf.prove({ ...choice, kernel }, (text) => this.phase(text));
      const wrong = checks.find((one) => one.wrong > 0);
      if (wrong) {
        const head = { bench: choice.op, shape: choice.shape, peer: 'padagrad', kernel };
        this.shelf.rows.set(kernel, failedRow(head, `${wrong.wrong} elements of ${wrong.result}`));
        continue;
      }
      right.push(kernel);
      cases.push(opened);
    }
    this.phase(`Timing ${names.join(', ')}.`);
    const rows = await sideBySide(cases, peaks);
    const own = edited && rows.shift();
    for (const [i, kernel] of right.entries()) this.shelf.rows.set(kernel, rows[i]!);
    return own;
  }

  private async bench({ only, quick }: Of<'bench'>): Promise<void> {
    const { gpu } = this;
    const cases = casesOf(benches, gpu, { quick, ...(only && { only }) });
    // Before the peaks: a stop may come while they are measured.
    this.stop = new AbortController();
    const peaks = await this.measuredPeaks();
    let done = 0;
    const next = () => {
      const one = cases[done];
      if (one) this.phase(`Measuring ${one.bench} ${one.shape}.`);
    };
    const onRow = (row: Row) => {
      this.report({ type: 'row', row, done: ++done, cases: cases.length });
      next();
    };
    next();
    await runSuite(gpu, cases, peaks, { quick, onRow, signal: this.stop.signal });
  }

  private async measuredPeaks(): Promise<Peaks> {
    if (this.peaks) return this.peaks;
    this.phase('Measuring once what this adapter does at most.');
    const { software, hardware } = PEAK_SECONDS;
    this.peaks = await measurePeaks(this.gpu, this.gpu.info.software ? software : hardware);
    this.report({ type: 'peaks', peaks: this.peaks });
    return this.peaks;
  }

  /** The modules that a case runs, and the files of all of them, each once. */
  private made({ step }: OpenCase): { modules: [WgslModule, Source[]][]; files: Source[] } {
    const modules = [...new Set(step.commands.dispatches.map(({ pipeline }) => pipeline.module))].map(
      (module): [WgslModule, Source[]] => [module, filesOf(module, this.sources)],
    );
    const files = new Map(modules.flatMap(([, joined]) => joined.map((file) => [file.path, file] as const)));
    return { modules, files: [...files.values()] };
  }

  private get gpu(): Gpu {
    return this.machine!;
  }

  private phase(text: string, patienceMs: number | null = null): void {
    this.report({ type: 'phase', text, patienceMs });
  }
}

const REDECLARED =
  'The bindings or the fields of Params are others than those of the shipped kernel. The host’s code gives values to those alone, so leave them as they are.';

/** The rows of several cases, whose samples are taken in turns: what disturbs one disturbs all. */
async function sideBySide(cases: readonly OpenCase[], peaks: Peaks): Promise<Row[]> {
  const sessions = cases.map(({ step }) => new Session(step.gpu, peaks, SAMPLING));
  const samples: number[][] = cases.map(() => []);
  for (let turn = 0; turn < TURNS; turn++)
    for (const [i, { step }] of cases.entries()) samples[i]!.push(...(await sessions[i]!.warm(step)));
  for (const session of sessions) session.dispose();
  return cases.map((one, i) => one.row(samples[i]!, null, peaks));
}

const isRight = (checks: readonly Check[]): boolean => checks.every(({ wrong }) => wrong === 0);

const withEdits = (files: readonly Source[], edits: Edits): Source[] =>
  files.map(({ path, text }) => ({ path, text: edits[path] ?? text }));
