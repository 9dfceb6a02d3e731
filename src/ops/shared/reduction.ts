import { oneOf } from '../../checks/options.ts';

/** How a loss is reduced to one number, or `none`. */
export type Reduction = 'mean' | 'sum' | 'none';

/** @internal An option that is a {@link Reduction}. */
export const reductions = /* @__PURE__ */ oneOf('mean', 'sum', 'none');
