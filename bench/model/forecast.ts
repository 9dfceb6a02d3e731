// Predictions of whole steps: the sum of their dispatches, which bound each one, and the term to reduce first.
import { type Family, familyOf, kernelWork } from './counts.ts';
import type { StepWork } from './dispatches.ts';
import { type Bound, type Device, type Prediction, peakGflops, predict } from './predict.ts';

/** The dispatches of one pipeline in a step. */
export interface KernelRow {
  kernel: string;
  calls: number;
  /** Workgroups of the first call, and how many of them a unit holds at once. */
  workgroups: number;
  resident: number;
  /** The share of the units' rounds that have work. */
  used: number;
  us: number;
  bound: Bound;
}

/** A predicted step. */
export interface Forecast {
  step: string;
  dispatches: number;
  us: number;
  /** Microseconds by the term that bounds them; the launch of each dispatch counts as such. */
  byTerm: Partial<Record<Bound, number>>;
  /** Percent of the multiply-adds that the device could do in this time; null if the step counts no operations. */
  percentOfPeak: number | null;
  /** The kernels, the longest first. */
  kernels: KernelRow[];
}

/** Predicts a step whose pipelines the family has. */
export function forecast(device: Device, step: string, { works, footprint }: StepWork, family: Family): Forecast {
  const rows = new Map<string, KernelRow>();
  const byTerm: Forecast['byTerm'] = {};
  const spend = (term: Bound, us: number) => {
    byTerm[term] = (byTerm[term] ?? 0) + us;
  };
  let total = 0;
  let flops = 0;
  for (const work of works) {
    const kernel = family.pipelines[work.pipeline];
    if (!kernel)
      throw new RangeError(`bench: ${work.pipeline} is not recorded; run \`npm run gpu-compile -- --model\``);
    const prediction = predict(device, kernelWork(kernel, work, footprint));
    const { us, bound, resident, used } = prediction;
    spend('launch', device.launchUs);
    spend(limitOf(prediction), us - device.launchUs);
    total += us;
    flops += work.flops;
    const row = rows.get(work.pipeline);
    if (row) Object.assign(row, { calls: row.calls + 1, us: row.us + us });
    else {
      const { pipeline, workgroups } = work;
      rows.set(pipeline, { kernel: pipeline, calls: 1, workgroups, resident, used, us, bound });
    }
  }
  return {
    ...{ step, dispatches: works.length, us: total, byTerm },
    percentOfPeak: flops > 0 ? (100 * flops) / (total * 1e3) / peakGflops(device) : null,
    kernels: [...rows.values()].sort((a, b) => b.us - a.us),
  };
}

/** Predicts all recorded steps. */
export function forecastAll(device: Device): Forecast[] {
  const family = familyOf(device.counts);
  return Object.entries(family.steps).map(([name, step]) => forecast(device, name, step, family));
}

/** The largest term except the launch. */
function limitOf({ terms: { launch: _, ...terms } }: Prediction): Bound {
  return (Object.entries(terms) as [Bound, number][]).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

const ADVICE: Readonly<Record<Bound, string>> = {
  launch: 'Use fewer dispatches',
  latency: 'Let more workgroups run side by side, or wait for memory in fewer rounds',
  arithmetic: 'Use fewer instructions per multiply-add, or workgroups that fill all units evenly',
  'near memory': 'Let an invocation compute a larger block, so that it reads fewer words per multiply-add',
  memory: 'Move fewer bytes',
};

/** Returns the term that takes most of a step's time, and its percentage. */
export function mostOf({ us, byTerm }: Forecast): { term: Bound; percent: string } {
  const [term, most] = (Object.entries(byTerm) as [Bound, number][]).reduce((a, b) => (b[1] > a[1] ? b : a));
  return { term, percent: `${((100 * most) / us).toFixed(0)} %` };
}

/** Says which term takes the most of a step's time, and what reduces it. */
export function nextStep(forecast: Forecast): string {
  const { term, percent } = mostOf(forecast);
  const longest = forecast.kernels.find(({ bound }) => bound === term);
  const where =
    term === 'launch' ? ` than ${forecast.dispatches}` : longest ? `, first in ${longest.kernel.split(' ')[0]}` : '';
  return `${term[0]!.toUpperCase()}${term.slice(1)} takes ${percent} of the time. ${ADVICE[term]}${where}.`;
}
