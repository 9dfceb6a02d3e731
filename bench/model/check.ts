// `npm run bench -- --model adapter`: predicts the kernels of the steps on the adapter at hand and measures them. A GPU whose name
// devices.ts knows is described by that entry, with the rates that were measured. A software adapter is described by its measured
// rates: cores are units, one workgroup each, and caches, latencies and barriers are not modelled. The instructions
// that its compiler makes are not recorded, so RDNA 3's stand for them: only ratios between kernels can agree.
import { peakGflops as measuredGflops, measurePeaks, type Peaks } from '../../src/debug/peaks.ts';
import type { CommandList } from '../../src/gpu/commandList.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { step as cnnStep } from '../cnn.ts';
import { deviceBlock, digits } from '../harness/report.ts';
import { median, quantile } from '../harness/session.ts';
import { prepare as padaStep } from '../pada.ts';
import { familyOf, kernelWork } from './counts.ts';
import { deviceNamed } from './devices.ts';
import { listsOfRun, stepWork } from './dispatches.ts';
import { type Bound, type Device, predict } from './predict.ts';
import type { Show } from './show.ts';

/** The processors of a software adapter. */
export interface Processors {
  count: number;
  /** Returns the seconds that they have computed, if the system tells: other programs do not change it as they change the time. */
  seconds(): number | undefined;
}

/** A kernel's predicted and measured time. */
export interface Checked {
  step: string;
  kernel: string;
  bound: Bound;
  /** Microseconds. */
  predicted: number;
  measured: number;
}

const STEPS = { 'cnn-step': cnnStep, 'pada-step': padaStep };
// Seconds and repetitions of a measurement.
const ENOUGH = 0.01;
const SAMPLES = 3;

/** Measures the adapter, predicts each kernel of the steps, measures it, and prints both. */
export async function checkAdapter(gpu: Gpu, processors: Processors, show: Show, write: (text: string) => void) {
  const device = describe(gpu, processors, await measurePeaks(gpu));
  const { pipelines } = familyOf(device.counts);
  const rows: Checked[] = [];
  let unknown = 0;
  for (const [step, prepare] of Object.entries(STEPS)) {
    const prepared = await prepare(gpu);
    try {
      const lists = await listsOfRun(gpu, prepared.step);
      const { works, footprint } = stepWork(lists);
      const places = lists.flatMap((list) => list.dispatches.map((_, i) => ({ list, i })));
      const known = new Set<string>();
      for (const [at, { pipeline, ...work }] of works.entries()) {
        const kernel = pipelines[pipeline];
        // A pipeline is measured once, in its first use.
        if (!kernel) unknown++;
        if (!kernel || known.has(pipeline)) continue;
        known.add(pipeline);
        const { us, bound } = predict(device, kernelWork(kernel, { pipeline, ...work }, footprint));
        const measured = 1e6 * (await measure(gpu, processors, { ...places[at]!, workgroups: work.workgroups }));
        rows.push({ step, kernel: pipeline, bound, predicted: us, measured });
      }
    } finally {
      prepared.dispose();
    }
  }
  write(`PREDICTION for ${device.name}, compared with measurements of this adapter`);
  rows.sort((a, b) => b.measured - a.measured);
  const cells = rows.map(({ step, kernel, bound, predicted, measured }) => [
    ...[step, kernel, bound, digits(predicted), digits(measured), digits(predicted / measured)],
  ]);
  show(['step', 'kernel', 'bound by', 'predicted us', 'measured us', 'predicted / measured'], cells);
  for (const line of summary(rows)) write(line);
  if (unknown > 0) write(`${unknown} dispatches have no recorded instructions: this adapter uses other kernels there.`);
}

/** Returns the seconds of one dispatch, of the least disturbed sample. */
async function measure(
  gpu: Gpu,
  processors: Processors,
  { list, i, workgroups }: { list: CommandList; i: number; workgroups: number },
): Promise<number> {
  const { handle } = gpu.device;
  const clock = () => (gpu.kind === 'cpu' ? processors.seconds() : undefined);
  const run = async (times: number) => {
    const encoder = handle.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let n = 0; n < times; n++) list.encodeOne(pass, i);
    pass.end();
    const commands = encoder.finish();
    await gpu.idle();
    const begin = { computed: clock(), now: performance.now() };
    handle.queue.submit([commands]);
    await gpu.idle();
    const computed = clock();
    // A workgroup runs on one processor.
    if (computed !== undefined) return (computed - begin.computed!) / Math.min(processors.count, workgroups) / times;
    return (performance.now() - begin.now) / 1e3 / times;
  };
  let best = await run(1);
  if (best >= ENOUGH) return best;
  const times = Math.min(200, Math.ceil(ENOUGH / Math.max(best, 1e-6)));
  for (let n = 0; n < SAMPLES; n++) best = Math.min(best, await run(times));
  return best;
}

/** Describes the adapter by its measured rates. */
function describe(gpu: Gpu, { count }: Processors, peaks: Peaks): Device {
  const { name } = deviceBlock(gpu);
  if (gpu.kind === 'gpu') return { ...deviceNamed(name), memoryGbps: peaks.copyGbps, launchUs: peaks.dispatchUs };
  const lanes = measuredGflops(peaks) / 2 / count;
  return {
    ...{ name, counts: 'navi31', units: count, schedulers: 1, lanes: gpu.subgroupSize || 8 },
    ...{ cacheGbps: peaks.copyGbps, memoryGbps: peaks.copyGbps, launchUs: peaks.dispatchUs },
    // At a clock of 1 GHz, so that the rates are per nanosecond. A CPU loads the word of each lane by itself, about one per cycle.
    ...{ clockGhz: 1, fmaLanes: lanes, otherLanes: lanes, nearBytes: 10 },
    ...{ cacheMib: 0, memoryNs: 0, nearNs: 0, registerKib: 1, residentLanes: 1, workgroupKib: 1 },
  };
}

/** Says how far predictions are off: in time, and in ratio to the other kernels. */
export function summary(rows: readonly Checked[]): string[] {
  const ratioOf = ({ predicted, measured }: Checked) => predicted / measured;
  const middle = median(rows.map(ratioOf));
  const line = (name: string, some: readonly Checked[]) => {
    const off = some.map((row) => ratioOf(row) / middle).map((x) => Math.max(x, 1 / x));
    const [half, most] = [0.5, 0.9].map((q) => digits(quantile(off, q)));
    return `  ${name} (${some.length}): ${half}x in the median, ${most}x for one in ten, ${digits(Math.max(...off))}x at most`;
  };
  const isGemm = ({ kernel }: Checked) => kernel.includes('.gemm');
  const parts = {
    'all kernels': rows,
    'matrix multiplications': rows.filter(isGemm),
    others: rows.filter((row) => !isGemm(row)),
  };
  return [
    `Predicted / measured: ${digits(middle)} in the median of ${rows.length} kernels. Relative to it, predictions are off by`,
    ...Object.entries(parts).map(([name, some]) => line(name, some)),
    `Rank correlation of predicted and measured times: ${rankCorrelation(rows).toFixed(2)}`,
  ];
}

/** Spearman's coefficient: 1 if the predictions sort the kernels as the measurements do. */
function rankCorrelation(rows: readonly Checked[]): number {
  const ranks = (of: (row: Checked) => number) => {
    const order = [...rows].sort((a, b) => of(a) - of(b));
    return rows.map((row) => order.indexOf(row));
  };
  const [a, b] = [ranks(({ predicted }) => predicted), ranks(({ measured }) => measured)];
  const squares = a.reduce((sum, rank, i) => sum + (rank - b[i]!) ** 2, 0);
  return 1 - (6 * squares) / (rows.length * (rows.length ** 2 - 1));
}
