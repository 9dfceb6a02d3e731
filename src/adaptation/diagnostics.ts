import { show } from '../checks/options.ts';

/** Numbers that show whether class weights have collapsed. */
export interface ClassWeightDiagnostics {
  /** Effective number of classes: (sum w)^2 / sum w^2. */
  effectiveClasses: number;
  /** Entropy of w / sum w, in nats: 0 for one class, log C for equal weights. */
  entropy: number;
  /**
   * Whether fewer than two of more than two classes are effective. Then the weights follow one class, and adaptation fails unless the
   * target has only one or two classes.
   */
  collapsed: boolean;
}

/** Returns diagnostics of class weights. They are NaN if the weights are NaN or all zero. */
export function diagnoseClassWeight(classWeight: ArrayLike<number>): ClassWeightDiagnostics {
  const weights = numbers('diagnoseClassWeight', classWeight);
  const sum = weights.reduce((a, w) => a + w, 0);
  const squares = weights.reduce((a, w) => a + w * w, 0);
  const effectiveClasses = (sum * sum) / squares;
  // -sum p log p with p = w / sum, where 0 log 0 is 0.
  const entropy = Math.log(sum) - weights.reduce((a, w) => a + (w === 0 ? 0 : w * Math.log(w)), 0) / sum;
  return { effectiveClasses, entropy, collapsed: weights.length > 2 && effectiveClasses < 2 };
}

/**
 * Returns the classes whose weight was 1 at one update and is below 0.9 at the next. Once pseudo-labels train the model, this is a
 * sign that they drift: images of such a class get the label of another, with confidence. Weaker drift does not show in the weights.
 *
 * @throws TypeError for anything but numbers, or for two different numbers of classes
 */
export function fallenClasses(before: ArrayLike<number>, now: ArrayLike<number>): number[] {
  const [first, second] = [numbers('fallenClasses', before), numbers('fallenClasses', now)];
  if (first.length !== second.length)
    throw new TypeError(`fallenClasses: ${first.length} weights became ${second.length}; pass two of the same classes`);
  return [...first.keys()].filter((c) => first[c] === 1 && second[c]! < 0.9);
}

function numbers(who: string, classWeight: ArrayLike<number>): number[] {
  if (typeof classWeight?.length === 'number') return Array.from(classWeight);
  throw new TypeError(`${who}: expected numbers but got ${show(classWeight)}; pass await classWeight.read()`);
}
