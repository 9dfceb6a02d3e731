import type { OpenCase } from '../../../bench/harness/openCase.ts';
import type { Row } from '../../../bench/harness/row.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Check, Choice } from '../protocol.ts';
import { PHASES } from '../words.ts';
import { check } from './check.ts';
import { caseOf, type WorkloadCases } from './workloads.ts';

/** A shipped kernel whose first run was compared with the reference. */
export interface CheckedKernel {
  opened: OpenCase;
  checks: readonly Check[];
  /** Duration of its first run. */
  milliseconds: number;
}

/** The shipped kernels of one workload, kept open until the visitor chooses another workload. */
export class OpenKernels {
  /** The measured rows, by kernel. */
  readonly rows = new Map<string, Row>();
  private readonly opened = new Map<string, OpenCase>();
  private readonly checked = new Map<string, CheckedKernel>();
  private workload = '';

  constructor(
    private readonly gpu: Gpu,
    private readonly workloads: readonly WorkloadCases[],
  ) {}

  /** Returns the names of the workload's kernels, the shipped one last. */
  names({ op, shape }: Choice): string[] {
    return [...this.workloads.find((one) => one.op === op && one.shape === shape)!.kernels.keys()];
  }

  async open(choice: Choice): Promise<OpenCase> {
    const workload = `${choice.op} ${choice.shape}`;
    if (this.workload !== workload) {
      for (const kernel of [...this.opened.keys()]) this.close(kernel);
      this.rows.clear();
      this.workload = workload;
    }
    const opened = this.opened.get(choice.kernel) ?? (await caseOf(this.workloads, choice).open!(this.gpu));
    this.opened.set(choice.kernel, opened);
    return opened;
  }

  /** Checks a kernel's first run. Later runs cannot be checked, because some kernels accumulate from run to run. */
  async check(choice: Choice, say: (text: string) => void): Promise<CheckedKernel> {
    const opened = await this.open(choice);
    const known = this.checked.get(choice.kernel);
    if (known) return known;
    say(PHASES.reference);
    void opened.truths;
    say(PHASES.checkingKernel(choice.kernel));
    const begin = performance.now();
    opened.step.run();
    await opened.step.gpu.idle();
    const milliseconds = performance.now() - begin;
    const checked = { opened, checks: await check(opened, opened), milliseconds };
    this.checked.set(choice.kernel, checked);
    return checked;
  }

  close(kernel: string): void {
    this.opened.get(kernel)?.dispose();
    this.opened.delete(kernel);
    this.checked.delete(kernel);
  }
}
