// A pass over a data set as captured steps, a few batches per submit. Evaluation and class weights use it.
import { type CapturedStep, captureAll, compilePending } from '../capture.ts';
import type { Compile } from '../gpu/compilation.ts';
import { tidy } from '../tidy.ts';
import type { Batch, Dataset } from './dataset.ts';

// Enough work per submit to hide the host's part, and little enough that a page does not freeze.
const BATCHES_PER_SUBMIT = 8;

export interface DatasetPassOptions {
  /** Recorded before the first batch. */
  before?: () => void;
  /** Recorded after the last batch. */
  after?: () => void;
  /** Runs every op eagerly instead of captured. Default: false. */
  eager?: boolean;
}

/** A pass over a data set, batch by batch. It is captured once, at the latest by the first run; every run replays it. */
export class DatasetPass {
  private steps: CapturedStep<void>[] | undefined;

  constructor(
    private readonly data: Dataset,
    private readonly visit: (batch: Batch) => void,
    private readonly options: DatasetPassOptions = {},
  ) {}

  /** Records the batches and compiles their kernels. Everything is recorded before this returns, so modes may change then. */
  async prepare(compile?: Compile): Promise<void> {
    const steps = await captureAll(this.data.gpu, this.parts(), compile);
    if (this.options.eager) for (const step of steps) step.dispose();
    else this.steps = steps;
  }

  /** Submits the pass. Resolves when it is submitted, without waiting for the GPU. */
  async run(): Promise<void> {
    if (this.options.eager) {
      for (const part of this.parts()) {
        tidy(part);
        await compilePending(this.data.gpu);
      }
      return;
    }
    if (!this.steps) await this.prepare();
    for (const step of this.steps!) step.run();
  }

  /** Frees the captured steps. */
  dispose(): void {
    for (const step of this.steps ?? []) step.dispose();
    this.steps = undefined;
  }

  private *parts(): Iterable<() => void> {
    const { batchSize, count } = this.data;
    const stride = batchSize * BATCHES_PER_SUBMIT;
    for (let from = 0; from < count; from += stride) {
      yield () => {
        if (from === 0) this.options.before?.();
        for (let start = from; start < Math.min(count, from + stride); start += batchSize) {
          tidy(() => this.visit(this.data.batchAt(start)));
        }
        if (from + stride >= count) this.options.after?.();
      };
    }
  }
}
