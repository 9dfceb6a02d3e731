// Training batches in random order. The host shuffles once per epoch; a captured step finds its batch by an offset, so drawing
// a batch costs the host one number.
import { type Check, checkValue, wholeFrom } from '../checks/options.ts';
import { Scalar } from '../gpu/scalar.ts';
import { checkState, type HostTensor, type StateDict } from '../nn/stateDict.ts';
import { Random } from '../random.ts';
import { type Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { type Batch, Dataset } from './dataset.ts';

const dataset: Check = {
  wanted: 'a Dataset, such as new ImageDataset(gpu, images, batchSize)',
  holds: (value) => value instanceof Dataset,
};
const generator: Check = { wanted: 'a Random, such as new Random(0)', holds: (value) => value instanceof Random };

/**
 * Draws training batches without end. Every epoch has a new random order, and its last short batch is dropped. The order is on the
 * GPU and the place in it is a {@link Scalar}, so a captured step that calls {@link Sampler.batch} draws the next batch at every
 * run.
 *
 * @throws RangeError if the data set has fewer than `batchSize` examples
 */
export class Sampler {
  /** @internal */
  readonly order: Tensor;
  private permutation: Uint32Array<ArrayBuffer>;
  /** @internal The place of the current batch in the order. */
  readonly offset = new Scalar(0);
  private next = 0;
  private isDrawn = true;

  constructor(
    /** @internal */
    readonly data: Dataset,
    readonly batchSize: number,
    private readonly random: Random,
  ) {
    checkValue('sampler', 'data', data, dataset);
    checkValue('sampler', 'batchSize', batchSize, wholeFrom(1));
    checkValue('sampler', 'random', random, generator);
    if (data.count < batchSize) {
      throw new RangeError(
        `sampler: ${data.count} examples do not fill a batch of ${batchSize}; use a smaller batch size or more examples`,
      );
    }
    this.permutation = random.permutation(data.count);
    this.order = keep(tensor(data.gpu, this.permutation, undefined, 'order'));
  }

  /** Advances to the next batch. Call it before each `batch()`, or before each run of a captured step that calls `batch()`. */
  advance(): void {
    if (this.next + this.batchSize > this.data.count) {
      this.permutation = this.random.permutation(this.data.count);
      write(this.order, this.permutation);
      this.next = 0;
    }
    this.offset.value = this.next;
    this.next += this.batchSize;
    this.isDrawn = false;
  }

  /**
   * Returns the current batch. With `into`, the examples are written there, from row `row` on.
   *
   * @param of another form of the same examples, in the same order, to take them from
   * @throws Error if the batch was drawn already. A captured step throws at its run. Other forms may be drawn as often as you like.
   */
  batch(into?: Tensor, row = 0, of: Dataset = this.data): Batch {
    const { order, offset, batchSize: size } = this;
    if (of === this.data) this.draw();
    return of.batch({ order, offset, size, row, ...(into && { into }) });
  }

  /** Refuses to draw a batch twice, which would train on the same examples for ever. A captured step is refused when it runs. */
  private draw(): void {
    const { recording } = this.data.gpu.queue;
    const check = () =>
      this.isDrawn
        ? 'sampler: this batch was drawn already; call advance() before each batch(), or each run()'
        : undefined;
    const apply = () => {
      this.isDrawn = true;
    };
    const isSecond = recording?.noted('batch', this);
    const fault = isSecond ? 'sampler: a captured function draws one batch of a sampler' : !recording && check();
    if (fault) throw new Error(fault);
    if (recording) recording.note('batch', this, () => ({ finish: () => ({ check, apply }) }));
    else apply();
  }

  /** Returns the order of this epoch, the place in it and the state of the random numbers. */
  stateDict(): StateDict {
    return new Map<string, HostTensor>([
      ['order', { shape: [this.data.count], data: this.permutation }],
      ['next', { shape: [1], data: Uint32Array.of(this.next) }],
      ['random', { shape: [4], data: this.random.state }],
    ]);
  }

  /** Loads the state of a sampler with as many examples. Throws `TypeError` if it does not fit; nothing changes then. */
  loadStateDict(state: ReadonlyMap<string, HostTensor>): void {
    const { count } = this.data;
    const places = { order: [count], next: [1], random: [4] };
    checkState(
      'Sampler',
      new Map(Object.entries(places).map(([name, shape]) => [name, { shape, kind: 'word' }])),
      state,
    );
    const words = (name: keyof typeof places) => Uint32Array.from(state.get(name)!.data as Uint32Array);
    const order = words('order');
    const seen = new Set(order);
    if (seen.size !== count || order.some((item) => item >= count)) {
      throw new TypeError(`loadStateDict: the state does not fit Sampler: order must hold 0 to ${count - 1} once each`);
    }
    const next = words('next')[0]!;
    if (next > count || next % this.batchSize !== 0)
      throw new TypeError(
        `loadStateDict: the state does not fit Sampler: next is ${next}, which is not a multiple of its batch size ${this.batchSize} up to ${count}`,
      );
    this.permutation = order;
    write(this.order, order);
    this.next = next;
    this.random.state = words('random');
  }

  /** Frees the GPU memory. */
  dispose(): void {
    this.order.dispose();
  }
}
