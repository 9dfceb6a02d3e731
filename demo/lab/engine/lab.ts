import type { OpenCase } from '../../../bench/harness/openCase.ts';
import { deviceBlock } from '../../../bench/harness/report.ts';
import { failedRow, type Row } from '../../../bench/harness/row.ts';
import { Session } from '../../../bench/harness/session.ts';
import { casesOf, runSuite } from '../../../bench/harness/suite.ts';
import { benches } from '../../../bench/index.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { WgslModule } from '../../../src/gpu/wgsl.ts';
import { measurePeaks, type Peaks } from '../../../src/profile/peaks.ts';
import { openMachine } from '../../engine/machine.ts';
import type { Choice, Command, Edits, Report, Source, Timing } from '../protocol.ts';
import { check } from './check.ts';
import { codesOf, compile, openDevice, openEdited, tryLoops } from './edited.ts';
import { EditedModule, filesOf } from './join.ts';
import { type Cases, caseOf, showSubject, subjectsOf } from './subjects.ts';

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
  private current: { choice: Choice; opened: Map<string, OpenCase>; rungs: Map<string, Row> } | undefined;
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
    this.machine = (await openMachine(again)).gpu;
    this.subjects = subjectsOf(this.gpu);
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
    const opened = await this.shipped(choice);
    this.report({ type: 'opened', choice, sources: this.made(opened).files });
  }

  private async run({ choice, edits }: Of<'run'>): Promise<void> {
    this.phase('Compiling.');
    const original = await this.shipped(choice);
    const { modules, files } = this.made(original);
    if (!files.some(({ path, text }) => text !== (edits[path] ?? text))) {
      if (await this.isRight(original, original)) await this.time(choice);
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
      const one = caseOf(this.subjects, choice);
      const patience = await this.patienceFor(original);
      this.phase('Running once with its loops counted.', patience);
      await tryLoops(one, edited, original);
      this.phase('Compiling.');
      const opened = await openEdited(one, codesOf(edited), gpu);
      try {
        if (await this.isRight(opened, original)) await this.time(choice, opened);
      } finally {
        opened.dispose();
      }
    } finally {
      gpu.dispose();
    }
  }

  /** Runs once, and compares everything with double precision. */
  private async isRight(opened: OpenCase, original: OpenCase): Promise<boolean> {
    this.phase('Computing in double precision what must come out.');
    void original.truths;
    this.phase('Running once, and comparing every element.', await this.patienceFor(original));
    opened.step.run();
    const checks = await check(opened, original);
    this.report({ type: 'checked', edited: opened !== original, checks });
    return checks.every(({ wrong }) => wrong === 0);
  }

  /** Milliseconds after which a kernel for the same work is given up. */
  private async patienceFor({ step }: OpenCase): Promise<number> {
    const begin = performance.now();
    step.run();
    await step.gpu.idle();
    return Math.max(LEAST_PATIENCE_MS, PATIENCE * (performance.now() - begin));
  }

  /** Times what was found right, beside what is shipped, then the other rungs of its ladder. */
  private async time(choice: Choice, edited?: OpenCase): Promise<void> {
    const peaks = await this.measuredPeaks();
    this.phase('Timing.');
    const { kernels } = this.subject(choice);
    const { rungs } = this.current!;
    const names = [...kernels.keys()];
    const beside: [string, OpenCase][] = [];
    for (const name of new Set([choice.kernel, names.at(-1)!])) {
      const one = await this.shipped({ ...choice, kernel: name });
      const problem = rungs.has(name) ? null : await problemOf(one);
      if (problem) rungs.set(name, failedRow({ ...choice, bench: choice.op, peer: 'padagrad' }, problem));
      else if (rungs.get(name)?.verified !== false) beside.push([name, one]);
    }
    const all = [...(edited ? [edited] : []), ...beside.map(([, one]) => one)];
    const rows = await sideBySide(all, peaks);
    const own: Timing[] = edited ? [{ name: choice.kernel, role: 'edited', row: rows.shift()! }] : [];
    for (const [i, [name]] of beside.entries()) rungs.set(name, rows[i]!);
    const show = () => {
      const known = names.flatMap((name): Timing[] => {
        const row = rungs.get(name);
        if (!row) return [];
        return name === choice.kernel ? [...own, { name, role: 'original', row }] : [{ name, role: 'rung', row }];
      });
      this.report({ type: 'timed', timings: known });
    };
    show();
    for (const name of names.filter((one) => !rungs.has(one))) {
      this.phase(`Timing ${name}.`);
      const session = new Session(this.gpu, peaks, SAMPLING);
      rungs.set(name, await kernels.get(name)!.measure(session));
      session.dispose();
      show();
    }
  }

  private async bench({ only, quick }: Of<'bench'>): Promise<void> {
    const { gpu } = this;
    const cases = casesOf(benches, gpu, { quick, ...(only && { only }) });
    const peaks = await this.measuredPeaks();
    this.stop = new AbortController();
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

  /** A kernel as it is shipped, kept open as long as the page stays with its op and shape. */
  private async shipped(choice: Choice): Promise<OpenCase> {
    const { op, shape, kernel } = choice;
    const known = this.current?.choice;
    if (known?.op !== op || known.shape !== shape) {
      for (const one of this.current?.opened.values() ?? []) one.dispose();
      this.current = { choice, opened: new Map(), rungs: new Map() };
    }
    const { opened } = this.current!;
    const found = opened.get(kernel) ?? (await caseOf(this.subjects, choice).open!(this.gpu));
    opened.set(kernel, found);
    return found;
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

  private subject({ op, shape }: Choice): Cases {
    return this.subjects.find((one) => one.op === op && one.shape === shape)!;
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

function problemOf(opened: OpenCase): Promise<string | null> {
  opened.step.run();
  return opened.problem();
}

const withEdits = (files: readonly Source[], edits: Edits): Source[] =>
  files.map(({ path, text }) => ({ path, text: edits[path] ?? text }));
