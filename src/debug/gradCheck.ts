// Checks the gradient of an op, as HIPS autograd does: along one random direction, which needs two forward passes for any number of
// inputs. The sums are taken on the host in double precision, so that only the op itself rounds to f32.
import { backward, noGrad, zeroGrad } from '../autograd.ts';
import { above, callable, checkOptions, checkValue, type OptionChecks, show, wholeWithin } from '../checks/options.ts';
import { Random } from '../random.ts';
import { Tensor, tensor } from '../tensor.ts';
import { type Sync, tidy } from '../tidy.ts';

export interface GradCheckOptions {
  /** Distance of the two points along the direction from the inputs. Default: 2^-7, right for inputs and outputs around 1. */
  step?: number;
  /** Largest allowed error. Default: 0.01. */
  tolerance?: number;
  /** Seed of the direction and of the gradient of the output, a whole number below 2^32. Default: 1. */
  seed?: number;
}

/** What {@link gradCheck} found. */
export interface GradCheckResult {
  /** The derivative along the direction by the op's backward. */
  analytic: number;
  /** The derivative along the direction by the central difference of the op's forward. */
  numeric: number;
  /** Their distance, relative to the larger of them and to the length of the terms that `analytic` adds up. */
  error: number;
}

const checks: OptionChecks<GradCheckOptions> = {
  step: /* @__PURE__ */ above(0),
  tolerance: /* @__PURE__ */ above(0),
  seed: /* @__PURE__ */ wholeWithin(0, 2 ** 32 - 1),
};

/**
 * Checks the gradient of a function of tensors (`torch.autograd.gradcheck`, along one direction). Compares <vjp(dy), v> with the central
 * difference <f(x + step v) - f(x - step v), dy> / (2 step) for a random v and dy, in f32. The inputs stay as they are. Inputs should lie
 * further than `step` from kinks, such as 0 for `relu`.
 *
 * @param fn takes the inputs and returns one f32 tensor; it must give the same result for the same inputs
 * @param inputs f32 tensors; those with `requiresGrad` are checked, or all of them if none has it
 * @throws Error if the error is larger than `tolerance`; it names both derivatives
 */
export async function gradCheck(
  fn: (...inputs: Tensor[]) => Sync<Tensor>,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): Promise<GradCheckResult> {
  checkValue('gradCheck', 'fn', fn, callable);
  checkOptions('gradCheck', options, checks);
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((x) => x instanceof Tensor))
    throw new TypeError(`gradCheck: inputs must be an array of tensors but is ${show(inputs)}; write [x]`);
  const { step = 2 ** -7, tolerance = 0.01, seed = 1 } = options;
  const random = new Random(seed);
  const given = inputs as readonly Tensor[];
  const { gpu } = given[0]!;
  const some = given.some((x) => x.requiresGrad);
  const checked = given.map((x) => x.dtype === 'f32' && (x.requiresGrad || !some));
  const values = await Promise.all(given.map((x, i) => (checked[i] ? x.read() : undefined)));
  const directions = values.map((x) => x?.map(() => 2 * random.uniform() - 1));
  /** The checked inputs at a distance along the direction; f32 rounds them, which the difference below takes into account. */
  const at = (distance: number) => values.map((x, i) => x?.map((v, k) => v + distance * directions[i]![k]!));
  const outputAt = async (points: readonly (Float32Array | undefined)[]): Promise<Float32Array> => {
    const y = tidy(() => noGrad(() => fn(...given.map((x, i) => (points[i] ? tensor(gpu, points[i], x.shape) : x)))));
    const read = await y.read();
    if (!given.includes(y)) y.dispose();
    return read;
  };
  const [above, below] = [at(step), at(-step)];
  const [high, low] = [await outputAt(above), await outputAt(below)];
  const dy = Float32Array.from(high, () => 2 * random.uniform() - 1);
  const numeric = dy.reduce((sum, g, k) => sum + g * (high[k]! - low[k]!), 0) / (2 * step);

  const leaves = given.map((x, i) => (checked[i] ? tensor(gpu, values[i]!, x.shape) : x));
  const own = leaves.filter((_, i) => checked[i]);
  for (const leaf of own) leaf.requiresGrad = true;
  let analytic = 0;
  let squares = 0;
  try {
    tidy(() => {
      const y = fn(...leaves) as Tensor;
      backward(y, tensor(gpu, dy, y.shape));
    });
    for (const [i, leaf] of leaves.entries()) {
      if (!checked[i]) continue;
      const gradient = leaf.grad ? await leaf.grad.read() : new Float32Array(leaf.size);
      for (const [k, g] of gradient.entries()) {
        const term = (g * (above[i]![k]! - below[i]![k]!)) / (2 * step);
        analytic += term;
        squares += term ** 2;
      }
    }
  } finally {
    zeroGrad(own);
    for (const leaf of own) leaf.dispose();
  }
  const size = Math.max(Math.abs(analytic), Math.abs(numeric), Math.sqrt(squares));
  const error = size === 0 ? 0 : Math.abs(analytic - numeric) / size;
  if (error <= tolerance) return { analytic, numeric, error };
  throw new Error(
    `gradCheck: along a random direction the backward gives ${analytic}, but the central difference of the forward gives ${numeric}; their relative error is ${error.toPrecision(2)}, allowed ${tolerance}. Correct the backward, or move the inputs away from kinks`,
  );
}
