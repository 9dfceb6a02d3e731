// `npm run bench -- --model [device]`: tables of predicted times. No GPU is used.
import { digits } from '../harness/report.ts';
import { countsOrigin, familyOf } from './counts.ts';
import { DEVICES } from './devices.ts';
import { type Forecast, forecastAll, mostOf, nextStep } from './forecast.ts';
import { type Device, peakGflops } from './predict.ts';
import { predictVariants } from './variants.ts';

/** Prints a table: its header and its lines. */
export type Show = (header: readonly string[], lines: readonly (readonly string[])[]) => void;

// The steps that are shown kernel by kernel; the benches have a line each.
const STEPS = ['cnn-step', 'pada-step'];
// The meaning of a step's columns.
const COLUMNS = [
  'per unit    workgroups that a unit (a CU, SM or Xe-core) holds at once',
  'units busy  share of the units that have work, over all rounds of workgroups',
  'bound by    the longest of: arithmetic; near memory (workgroup memory and the nearest cache); memory (all beyond);',
  '            latency (waits for reads that no other workgroup hides); launch (the gap before the next dispatch)',
];
// Kernels that take less of a step are not shown.
const LEAST = 0.01;

/** Prints the predicted times of the GEMM variants that the table chooses, and of the fastest ones. */
export function showVariants(device: Device, show: Show, write: (text: string) => void): void {
  write(`\nPREDICTION for ${device.name}: the choices of src/gemm/variants.ts`);
  const cells = predictVariants(device).map(({ shape, choice, choiceUs, fastest, fastestUs }) => [
    ...[shape, choice, digits(choiceUs), fastest, digits(fastestUs)],
    `${(100 * (choiceUs / fastestUs - 1)).toFixed(0)} %`,
  ]);
  show(['m x n x k', 'choice', 'predicted us', 'fastest', 'predicted us', 'regret'], cells);
}

/** Prints the predictions for a device: its steps kernel by kernel, then a line per step and bench. */
export function showDevice(device: Device, show: Show, write: (text: string) => void): void {
  const { driver } = familyOf(device.counts);
  const all = forecastAll(device);
  write(`\nPREDICTION for ${device.name}: ${digits(peakGflops(device) / 1e3)} TFLOP/s, ${device.memoryGbps} GB/s.`);
  write('Nothing was measured.');
  write(`Instructions: compiled for ${device.counts} by ${driver}, at commit ${countsOrigin.commit}.`);
  if (device.isStandIn) write("This GPU's own instructions are not known, so those of another GPU stand in for them.");
  for (const line of COLUMNS) write(line);
  for (const step of all.filter(({ step }) => STEPS.includes(step))) {
    write(`\n${step.step}: predicted ${digits(step.us)} us`);
    const rows = step.kernels.filter(({ us }) => us >= LEAST * step.us);
    const cells = rows.map(({ kernel, calls, workgroups, resident, used, us, bound }) => [
      ...[shortOf(kernel), String(calls), String(workgroups), String(resident), `${(100 * used).toFixed(0)} %`, bound],
      ...[digits(us), `${((100 * us) / step.us).toFixed(0)} %`],
    ]);
    show(['kernel', 'calls', 'workgroups', 'per unit', 'units busy', 'bound by', 'predicted us', 'share'], cells);
    write(nextStep(step));
  }
  write('');
  show(['step or bench', 'dispatches', 'predicted us', '% of peak', 'most of its time'], all.map(cellsOf));
}

const cellsOf = (one: Forecast): string[] => [
  ...[one.step, String(one.dispatches), digits(one.us)],
  one.percentOfPeak === null ? '-' : one.percentOfPeak.toFixed(0),
  Object.values(mostOf(one)).join(', '),
];

/** A pipeline without the constants that do not change what a reader looks for. */
const shortOf = (kernel: string): string =>
  kernel.replace(
    / (ALIGNED_[AB]|WHOLE(_K)?|TRANSPOSE_[AB]|THREADS|ROW_PANELS|COLUMN_PANELS|DIVISOR_.|SHIFT_.|STRIDE_.|LOOP|ONES|BIAS)=\S+/g,
    '',
  );

/** Returns the predictions of all devices as plain data, for a recording. */
export const recordedModel = () => ({
  counts: countsOrigin,
  devices: DEVICES.map((device) => ({
    ...{ name: device.name, counts: device.counts, peakGflops: rounded(peakGflops(device)) },
    steps: forecastAll(device).map(({ step, dispatches, us, byTerm, percentOfPeak }) => ({
      ...{ step, dispatches, us: rounded(us), percentOfPeak: percentOfPeak && rounded(percentOfPeak) },
      byTerm: Object.fromEntries(Object.entries(byTerm).map(([term, part]) => [term, rounded(part)])),
    })),
  })),
});

/** Three digits: a prediction has no more. */
const rounded = (value: number): number => Number(value.toPrecision(3));
