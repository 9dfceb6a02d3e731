// The heart of class weights: the mean prediction over all images, from their logits. It reads each logit once and stores no
// matrix of probabilities. How the work is split depends on the device and on the number of columns; see the header of the
// shader. Sums over many batches are kept in two parts, so that they do not lose digits.
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import subgroupsSource from '../../shaders/softmaxColumnMean.subgroups.wgsl';
import source from '../../shaders/softmaxColumnMean.wgsl';
import { checkOptions, checkValue, type OptionChecks, wholeFrom } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor, tensor, write } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { expectMatrix, expectShape } from './shared/expect.ts';
import { splitRows } from './shared/split.ts';
import { type SoftmaxOptions, temperatures } from './softmax.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'softmaxColumnMean',
  [rowsSource, rowSource, source],
  ['lane', 'small', 'rows', 'columns', 'fused', 'mean'],
);
const { subgroups } = /* @__PURE__ */ defineKernel(
  'softmaxColumnMean',
  [rowsSource, rowSource, source, subgroupsSource],
  ['lane', 'small', 'rows', 'columns', 'fused', 'mean', 'subgroups'],
);

// As in the shader: the columns that an invocation holds, and the rows that `columns` adds up at a time.
const HELD = 32;
const CHUNK = 64;
// Partial sums per column of one call. More would cost more to write and to read again than they gain.
const MOST_PARTS = 128;
// Rows per partial sum on a GPU: a partial sum has two numbers, so both passes over them move a quarter of the bytes of x.
const ROWS_PER_PART = 16;
// Partial sums per column that are kept from batch to batch. A batch of usual size fills all of them in parallel.
const KEPT_PARTS = 64;

const checks: OptionChecks<Pick<SoftmaxOptions, 'temperature'>> = { temperature: temperatures };

/**
 * Takes the mean over rows of `softmax(x, { temperature })`, without storing the matrix of probabilities. x: f32 [n, C]; y: f32
 * [C], NaN if there are no rows. No gradient; `columnMean(softmax(x))` has one.
 */
export function softmaxColumnMean(x: Tensor, options: Pick<SoftmaxOptions, 'temperature'> = {}): Tensor {
  checkOptions('softmaxColumnMean', options, checks);
  const { temperature = 1 } = options;
  const [rows, cols] = expectMatrix('softmaxColumnMean', 'x', x);
  const parts = partsOf(x.gpu, rows, cols);
  const partials = empty(x.gpu, [parts, cols, 2], 'f32', 'partials');
  const y = empty(x.gpu, [cols], 'f32', 'softmaxColumnMean');
  addRows(x, partials, parts, temperature, y);
  partials.dispose();
  return y;
}

/**
 * Sums `softmax(x, { temperature })` over the rows of several batches: one dispatch per batch and memory for C columns.
 */
export class SoftmaxColumnSums {
  private readonly partials: Tensor;

  constructor(
    gpu: Gpu,
    readonly cols: number,
    readonly temperature: number,
  ) {
    checkValue('SoftmaxColumnSums', 'cols', cols, wholeFrom(1));
    checkValue('SoftmaxColumnSums', 'temperature', temperature, temperatures);
    const zeros = new Float32Array(KEPT_PARTS * cols * 2);
    this.partials = keep(tensor(gpu, zeros, [KEPT_PARTS, cols, 2], 'partials'));
  }

  /** Adds the rows of a batch. x: f32 [n, C]; n may differ from batch to batch. */
  add(x: Tensor): void {
    const [rows, cols] = expectMatrix('SoftmaxColumnSums', 'x', x);
    expectShape('SoftmaxColumnSums', 'x', x, [rows, this.cols]);
    addRows(x, this.partials, Math.min(KEPT_PARTS, partsOf(x.gpu, rows, cols)), this.temperature);
  }

  /** Writes the sums since the last `take` to `into`, f32 [C], and starts from zero again. */
  take(into: Tensor): void {
    expectShape('SoftmaxColumnSums', 'into', into, [this.cols]);
    sumParts(this.partials, into, { parts: KEPT_PARTS, rows: 1, kept: true });
  }

  /** Discards everything added so far. */
  reset(): void {
    write(this.partials, new Float32Array(this.partials.size));
  }

  dispose(): void {
    this.partials.dispose();
  }
}

const isGpuLike = (gpu: Gpu, cols: number): boolean => gpu.kind === 'gpu' && cols <= 64 * HELD;

/** Whether a subgroup takes a row: its lanes can hold the columns, and less than half of them would idle. */
const suitsSubgroups = ({ kind, device }: Gpu, cols: number): boolean =>
  kind === 'gpu' && device.lanes >= 8 && cols <= HELD * device.lanes && 2 * cols > device.lanes;

/** Chooses the partial sums per column: enough to keep the adapter busy, and each short enough to be accurate. */
function partsOf(gpu: Gpu, rows: number, cols: number): number {
  const gpuLike = suitsSubgroups(gpu, cols) || isGpuLike(gpu, cols);
  const each = gpuLike ? Math.max(ROWS_PER_PART, splitRows(gpu, cols).rowsAtOnce) : cols <= HELD ? 4096 : CHUNK;
  return Math.min(MOST_PARTS, Math.ceil(rows / each));
}

/** Adds the rows of x to the partial sums. With `y`, starts them from zero and writes their mean to y. */
function addRows(x: Tensor, partials: Tensor, parts: number, temperature: number, y?: Tensor): void {
  const { gpu } = x;
  const [rows, cols] = x.shape as [number, number];
  const params = { rows, cols, scale: 1 / temperature, parts, add: Number(!y) };
  if (suitsSubgroups(gpu, cols)) {
    const { lanes: SIZE, askedLanes: lanes } = gpu.device;
    const THREADS = Math.min(256, 8 * SIZE);
    const constants = { SIZE, THREADS, PER_LANE: Math.ceil(cols / SIZE), SUMS: THREADS ** 2 / SIZE };
    subgroups({ x, partials }, params, [parts], { constants, lanes });
  } else if (isGpuLike(gpu, cols)) {
    const COLS = Math.min(64, 2 ** Math.ceil(Math.log2(cols)));
    const constants = { ...splitRows(gpu, cols).constants, COLS, COUNT: Math.ceil(cols / COLS) };
    kernel.fused({ x, partials }, params, [parts], { constants });
  } else if (cols <= HELD) {
    const constants = { COLS: cols };
    if (y && parts === 1) {
      kernel.small({ x4: x, y }, params, [1], { constants });
      return;
    }
    kernel.lane({ x4: x, partials }, params, [parts], { constants });
  } else {
    const stats = empty(gpu, [rows, 2], 'f32', 'stats');
    const constants = { ALIGNED: Number(cols % 4 === 0) };
    kernel.rows({ x, x4: x, stats }, params, Math.ceil(rows / 32), { constants });
    kernel.columns({ x, x4: x, stats, partials }, params, [Math.ceil(cols / 128), parts], { constants });
    stats.dispose();
  }
  if (y) sumParts(partials, y, { parts, rows, kept: false });
}

/** Divides the sum of the partial sums by `rows`. Sums that are kept from batch to batch start from zero again. */
function sumParts(partials: Tensor, y: Tensor, sums: { parts: number; rows: number; kept: boolean }): void {
  const cols = y.size;
  const { parts, rows, kept } = sums;
  const { constants, rowsAtOnce } = splitRows(y.gpu, parts);
  const params = { rows, cols, scale: 1, parts, add: Number(kept) };
  kernel.mean({ partials, y }, params, Math.ceil(cols / rowsAtOnce), { constants });
}
