import { type CapturedStep, capture } from '../capture.ts';
import { tidy } from '../tidy.ts';
import type { Batch, ImageDataset } from './dataset.ts';

// Work of one submit: long enough to keep the host out of the way, short enough that a page does not freeze.
const BATCHES_A_SUBMIT = 8;

export interface DatasetPassOptions {
  /** Recorded before the first batch. */
  before?: () => void;
  /** Recorded after the last batch. */
  after?: () => void;
  /** Records everything anew at every run. */
  eager?: boolean;
}

/** One walk over a data set, batch by batch, captured at the first run and replayed at every later one. */
export class DatasetPass {
  private steps: CapturedStep<void>[] | undefined;

  constructor(
    private readonly data: ImageDataset,
    private readonly visit: (batch: Batch) => void,
    private readonly options: DatasetPassOptions = {},
  ) {}

  /** Records the walk; the GPU does it in its own time. */
  async run(): Promise<void> {
    if (this.options.eager) {
      for (const part of this.parts()) tidy(part);
      return;
    }
    this.steps ??= await this.captureAll();
    for (const step of this.steps) step.run();
  }

  dispose(): void {
    for (const step of this.steps ?? []) step.dispose();
    this.steps = undefined;
  }

  private async captureAll(): Promise<CapturedStep<void>[]> {
    const steps: CapturedStep<void>[] = [];
    for (const part of this.parts()) steps.push(await capture(this.data.images.gpu, part));
    return steps;
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
