import { checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface ForwardOptions {
  /** Whether the output is rectified: relu(forward(x)) in one dispatch. Default: false. */
  relu?: boolean;
}

const checks: OptionChecks<ForwardOptions> = { relu: flag };

/** A layer whose kernel can compute the ReLU of its own output: `forward(x, { relu: true })`. */
export abstract class RectifyingModule extends Module {
  /**
   * Whether a ReLU before the layer gives the same as one after it: true for a largest value, false for a sum. A class that
   * defines it says that its `forward` obeys `relu`; a subclass with another `forward` is called without options.
   */
  abstract get rectifiesBefore(): boolean;

  abstract override forward(x: Tensor, options?: ForwardOptions): Tensor;
}

/** @internal The `relu` of a forward's options. */
export function wantsRelu(who: string, options: ForwardOptions | undefined): boolean {
  checkOptions(`${who}.forward`, options, checks);
  return options?.relu ?? false;
}
