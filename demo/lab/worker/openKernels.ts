import type { OpenCase } from '../../../bench/harness/openCase.ts';
import type { Row } from '../../../bench/harness/row.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Check, Choice } from '../protocol.ts';
import { check } from './check.ts';
import { type Cases, caseOf } from './workloads.ts';

/** A shipped kernel whose first run was compared with double precision. */
export interface Proven {
  opened: OpenCase;
  checks: readonly Check[];
  /** Of its first run. */
  milliseconds: number;
}

/** The shipped kernels of one op and shape, kept open as long as nobody asks for another. */
export class Shelf {
  /** What was measured of them. */
  readonly rows = new Map<string, Row>();
  private readonly opened = new Map<string, OpenCase>();
  private readonly proven = new Map<string, Proven>();
  private of = '';

  constructor(
    private readonly gpu: Gpu,
    private readonly subjects: readonly Cases[],
  ) {}

  /** The kernels for the same work, the one that is shipped last. */
  names({ op, shape }: Choice): string[] {
    return [...this.subjects.find((one) => one.op === op && one.shape === shape)!.kernels.keys()];
  }

  async take(choice: Choice): Promise<OpenCase> {
    const of = `${choice.op} ${choice.shape}`;
    if (this.of !== of) {
      for (const kernel of [...this.opened.keys()]) this.close(kernel);
      this.rows.clear();
      this.of = of;
    }
    const opened = this.opened.get(choice.kernel) ?? (await caseOf(this.subjects, choice).open!(this.gpu));
    this.opened.set(choice.kernel, opened);
    return opened;
  }

  /** Runs a kernel for the first time, and compares: some count on from run to run, and never give the same again. */
  async prove(choice: Choice, say: (text: string) => void): Promise<Proven> {
    const opened = await this.take(choice);
    const known = this.proven.get(choice.kernel);
    if (known) return known;
    say('Computing in double precision what must come out.');
    void opened.truths;
    say(`Running ${choice.kernel} once, and comparing every element.`);
    const begin = performance.now();
    opened.step.run();
    await opened.step.gpu.idle();
    const milliseconds = performance.now() - begin;
    const proven = { opened, checks: await check(opened, opened), milliseconds };
    this.proven.set(choice.kernel, proven);
    return proven;
  }

  /** Gives back what a kernel holds. */
  close(kernel: string): void {
    this.opened.get(kernel)?.dispose();
    this.opened.delete(kernel);
    this.proven.delete(kernel);
  }
}
