import { type CapturedStep, capture, dryRun } from '../capture.ts';
import type { Gpu } from '../gpu/gpu.ts';
import {
  type GemmPlan,
  type GemmVariant,
  type GemmVariants,
  gemmVariants,
  setGemmVariants,
  tryPlan,
} from './variants.ts';

// What is worth a measurement, the usual first: other tiles, then fewer or more slices.
const PLANS: readonly GemmPlan[] = [
  {},
  { large: Infinity },
  { large: 16 },
  { workgroups: 1 },
  { workgroups: 32 },
  { workgroups: 512 },
];
// What gains less than a measurement varies by is left as usual.
const WORTH = 0.95;

/** How {@link tuneGemm} chooses. */
export interface TuneGemmOptions {
  /** Classes with the variants that they keep: they are not measured. */
  known?: GemmVariants;
  /** At most so long, what has to be compiled included: 2000 by default. With 0 nothing is measured. */
  milliseconds?: number;
  /** The clock, in milliseconds. */
  now?: () => number;
  /** Told before anything is measured, if anything is. */
  onMeasure?: () => void;
}

/**
 * Gives each class of the matrix products that `fn` records (convolutions and linear layers, forward and backward) the
 * fastest of its variants, and returns them: plain JSON for {@link setGemmVariants}, with which another run gives the same
 * bits. Measured are the classes that have several variants here; the others, and all when the time is up, get what their
 * sizes suggest. Tune before capturing. `fn` is captured and run many times: it must not update parameters, and what it
 * moves on by itself (running statistics, random numbers of dropout) it has moved on.
 */
export async function tuneGemm(
  gpu: Gpu,
  fn: () => void,
  { known = {}, milliseconds = 2000, now = () => performance.now(), onMeasure }: TuneGemmOptions = {},
): Promise<GemmVariants> {
  const end = now() + milliseconds;
  const left = () => end - now();
  const variants: Record<string, GemmVariant> = {};
  const seen = new Set<string>();
  const plans = PLANS.filter((plan, i) => {
    const products = tryPlan(gpu, plan, () => dryRun(gpu, () => void fn())).seen;
    if (i === 0) for (const { of, variant } of products) variants[of] ??= known[of] ?? variant;
    const fresh = products.filter(({ of, variant }) => !known[of] && !seen.has(of + JSON.stringify(variant)));
    for (const { of, variant } of fresh) seen.add(of + JSON.stringify(variant));
    return fresh.length > 0;
  });
  // The usual plan alone: there is nothing to choose from.
  if (plans.length > 1 && milliseconds > 0) {
    onMeasure?.();
    await choose(gpu, fn, plans, known, variants, left);
  }
  setGemmVariants(gpu, { ...gemmVariants(gpu), ...variants });
  return variants;
}

/** Puts the fastest variants in the place of the usual ones, as far as there is time. */
async function choose(
  gpu: Gpu,
  fn: () => void,
  plans: readonly GemmPlan[],
  known: GemmVariants,
  variants: Record<string, GemmVariant>,
  left: () => number,
): Promise<void> {
  const best = new Map<string, number>();
  let longest = 0;
  for (const plan of plans) {
    const before = left();
    if (before <= longest) return;
    const usual = best.size === 0;
    const { result, seen } = tryPlan(gpu, plan, () => capture(gpu, () => void fn()));
    // What is as usual is compiled for training itself, in whatever time. Of the others one that fails is no choice.
    const step = await (usual ? result : inTime(result, before));
    if (!step) continue;
    try {
      const seconds = await measure(gpu, step, seen, left);
      if (!seconds) return;
      for (const { of, variant } of seen) {
        if (known[of] || (best.get(of) ?? Infinity) <= seconds.get(of)!) continue;
        best.set(of, seconds.get(of)! * (usual ? WORTH : 1));
        variants[of] = variant;
      }
    } finally {
      step.dispose();
    }
    longest = Math.max(longest, before - left());
  }
}

/** Seconds of each class of products; undefined where there is no time to measure them. */
async function measure(
  gpu: Gpu,
  step: CapturedStep<void>,
  seen: readonly { name: string; of: string; variant: GemmVariant }[],
  left: () => number,
): Promise<Map<string, number> | undefined> {
  const before = left();
  step.run();
  await gpu.idle();
  // With timestamps every dispatch is by itself; by the wall clock the profiler repeats it.
  const [most, cost] = gpu.features.has('timestamp-query') ? [5, 2] : [1, 14];
  const runs = Math.min(most, Math.floor(left() / cost / (before - left())));
  if (!(runs > 0)) return undefined;
  const { events } = await gpu.profile(() => {
    for (let i = 0; i < runs; i++) step.run();
  });
  const secondsOf = (i: number) =>
    Math.min(...Array.from({ length: runs }, (_, run) => events[run * step.dispatches + i]!.seconds));
  const classes = new Map<string, number>();
  let at = -1;
  for (const { name, of, variant } of seen) {
    const next = (entry: string) => {
      do at++;
      while (events[at]!.kernel !== `${name}.${entry}`);
      return secondsOf(at);
    };
    const seconds = next('product') + (variant.slices > 1 ? next('reduce') : 0);
    classes.set(of, (classes.get(of) ?? 0) + seconds);
  }
  return classes;
}

/** A step that is compiled within so many milliseconds; undefined where it is not, or cannot be. */
async function inTime(
  compiling: Promise<CapturedStep<void>>,
  milliseconds: number,
): Promise<CapturedStep<void> | undefined> {
  let stopWaiting = () => {};
  const late = new Promise<undefined>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stopWaiting = () => clearTimeout(timer);
  });
  const step = await Promise.race([compiling.catch(() => undefined), late]);
  stopWaiting();
  if (!step) compiling.then((done) => done.dispose()).catch(() => {});
  return step;
}
