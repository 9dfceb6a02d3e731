import { capture } from './capture.ts';
import {
  type GemmPlan,
  type GemmVariant,
  type GemmVariants,
  gemmVariants,
  setGemmVariants,
  tryPlan,
} from './gemmVariants.ts';
import type { Gpu } from './gpu/gpu.ts';

// What is worth a measurement, the usual first: other tiles, then fewer or more slices.
const PLANS: readonly GemmPlan[] = [
  {},
  { large: Infinity },
  { large: 16 },
  { workgroups: 1 },
  { workgroups: 32 },
  { workgroups: 512 },
];
const REPEATS = 5;

/**
 * Measures the matrix products that `fn` records (convolutions and linear layers, forward and backward) in several variants,
 * gives each class of products its fastest, and returns them all: plain JSON for {@link setGemmVariants}, with which another
 * run gives the same bits. Tune before capturing. `fn` is captured and run many times: it must not update parameters. A
 * variant whose pipelines would take longer to compile than is left of `milliseconds` is not tried.
 */
export async function tuneGemm(
  gpu: Gpu,
  fn: () => void,
  { milliseconds = 2000 }: { milliseconds?: number } = {},
): Promise<GemmVariants> {
  const end = performance.now() + milliseconds;
  const best = new Map<string, { variant: GemmVariant; seconds: number }>();
  const tried = new Set<string>();
  let longest = 0;
  for (const plan of PLANS) {
    const begin = performance.now();
    if (begin + longest >= end) break;
    for (const [of, measured] of await measure(gpu, plan, fn, tried)) {
      const before = best.get(of);
      if (!before || measured.seconds < before.seconds) best.set(of, measured);
    }
    longest = Math.max(longest, performance.now() - begin);
  }
  const found = Object.fromEntries([...best].map(([of, { variant }]) => [of, variant]));
  setGemmVariants(gpu, { ...gemmVariants(gpu), ...found });
  return gemmVariants(gpu);
}

/** The variant and the time of each class of products under a plan; none if another plan gave the same variants. */
async function measure(
  gpu: Gpu,
  plan: GemmPlan,
  fn: () => void,
  tried: Set<string>,
): Promise<Map<string, { variant: GemmVariant; seconds: number }>> {
  const { result, seen } = tryPlan(gpu, plan, () => capture(gpu, () => void fn()));
  const step = await result;
  const classes = new Map<string, { variant: GemmVariant; seconds: number }>();
  try {
    const variants = JSON.stringify(seen);
    if (tried.has(variants)) return classes;
    tried.add(variants);
    step.run();
    const { events } = await gpu.profile(() => {
      for (let i = 0; i < REPEATS; i++) step.run();
    });
    const count = step.dispatches;
    const secondsOf = (i: number) =>
      Math.min(...Array.from({ length: REPEATS }, (_, run) => events[run * count + i]!.seconds));
    let at = -1;
    for (const { name, of, variant } of seen) {
      const next = (entry: string) => {
        do at++;
        while (events[at]!.kernel !== `${name}.${entry}`);
        return secondsOf(at);
      };
      const seconds = next('product') + (variant.slices > 1 ? next('reduce') : 0);
      const before = classes.get(of);
      classes.set(of, { variant: before?.variant ?? variant, seconds: (before?.seconds ?? 0) + seconds });
    }
    return classes;
  } finally {
    step.dispose();
  }
}
