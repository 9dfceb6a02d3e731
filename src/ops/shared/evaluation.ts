// While class weights are computed, the classifier runs in eval mode, whatever mode its modules are in. Modules look here for
// their mode. An op that is called with `training: true` meanwhile would update statistics or drop elements, so it throws.

let evaluating = false;

/** @internal Runs `fn` with every module in eval mode. */
export function evaluate<T>(fn: () => T): T {
  const before = evaluating;
  evaluating = true;
  try {
    return fn();
  } finally {
    evaluating = before;
  }
}

/** @internal Returns whether {@link evaluate} is running. */
export const isEvaluating = (): boolean => evaluating;

/** @internal Throws `TypeError` if {@link evaluate} is running. Ops call it if their options say `training: true`. */
export function refuseTraining(who: string): void {
  if (evaluating)
    throw new TypeError(
      `${who}: training is true while a classifier is evaluated; pass false, or use a module's \`training\`, which is false then`,
    );
}
