import { Scalar } from '../gpu/scalar.ts';
import { imageBatch } from '../ops/imageBatch.ts';
import type { Random } from '../random.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import type { Batch, ImageDataset } from './dataset.ts';

/**
 * Draws training batches without end: every epoch in a new random order, its last short batch dropped. The order lies on
 * the GPU and the place in it is a {@link Scalar}, so a captured step that holds {@link Sampler.batch} draws the next
 * batch at every run.
 */
export class Sampler {
  private readonly order: Tensor;
  private readonly offset = new Scalar(0);
  private next = 0;

  constructor(
    private readonly data: ImageDataset,
    readonly batchSize: number,
    private readonly random: Random,
  ) {
    if (data.count < batchSize) {
      throw new RangeError(
        `sampler: ${data.count} images do not fill a batch of ${batchSize}; use a smaller batch size or more images`,
      );
    }
    this.order = keep(tensor(data.images.gpu, random.permutation(data.count), undefined, 'order'));
  }

  /** Moves on to the next batch: call it once before each run of what holds `batch()`. */
  advance(): void {
    if (this.next + this.batchSize > this.data.count) {
      write(this.order, this.random.permutation(this.data.count));
      this.next = 0;
    }
    this.offset.value = this.next;
    this.next += this.batchSize;
  }

  /** The present batch; its images written to `into` where one is given. */
  batch(into?: Tensor): Batch {
    const { data, order, offset, batchSize: size } = this;
    return imageBatch(data, { order, offset, size, ...(into && { into }) });
  }

  dispose(): void {
    this.order.dispose();
  }
}
