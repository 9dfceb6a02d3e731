import { type CapturedStep, captureAll, compilePending } from '../capture.ts';
import type { Compile } from '../gpu/compilation.ts';
import { tidy } from '../tidy.ts';
import type { Batch, ImageDataset } from './dataset.ts';

// Work of one submit: long enough to keep the host out of the way, short enough that a page does not freeze.
const BATCHES_A_SUBMIT = 8;

export interface DatasetPassOptions {
  /** Recorded before the first batch. */
  before?: () => void;
  /** Recorded after the last batch. */
  after?: () => void;
  /** Runs every op eagerly instead of captured steps. */
  eager?: boolean;
}

/** One pass over a data set, batch by batch: captured once, at the latest by the first run, and replayed by every run. */
export class DatasetPass {
  private steps: CapturedStep<void>[] | undefined;

  constructor(
    private readonly data: ImageDataset,
    private readonly visit: (batch: Batch) => void,
    private readonly options: DatasetPassOptions = {},
  ) {}

  /** Records the batches and compiles their kernels. All is recorded before this returns: modes may change while it compiles. */
  async prepare(compile?: Compile): Promise<void> {
    const steps = await captureAll(this.data.images.gpu, this.parts(), compile);
    if (this.options.eager) for (const step of steps) step.dispose();
    else this.steps = steps;
  }

  /** Submits the pass; resolves when it is recorded, without waiting for the GPU. */
  async run(): Promise<void> {
    if (this.options.eager) {
      for (const part of this.parts()) {
        tidy(part);
        await compilePending(this.data.images.gpu);
      }
      return;
    }
    if (!this.steps) await this.prepare();
    for (const step of this.steps!) step.run();
  }

  dispose(): void {
    for (const step of this.steps ?? []) step.dispose();
    this.steps = undefined;
  }

  private *parts(): Iterable<() => void> {
    const { batchSize, count } = this.data;
    const stride = batchSize * BATCHES_A_SUBMIT;
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
