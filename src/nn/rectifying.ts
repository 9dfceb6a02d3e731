import { checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface ForwardOptions {
  /** Applies ReLU to the output, in the same dispatch. Default: false. */
  relu?: boolean;
}

const checks: OptionChecks<ForwardOptions> = { relu: flag };

/** A layer whose kernel can apply ReLU to its own output: `forward(x, { relu: true })`. */
export abstract class RectifyingModule extends Module {
  /**
   * True if ReLU before this layer equals ReLU after it (max pooling), so that both can be fused. A class that defines this
   * promises that its `forward` supports `relu`. A subclass that overrides `forward` is called without options.
   */
  abstract get rectifiesBefore(): boolean;

  /**
   * True if `forward` also takes `maxPool`, to apply a max pool that {@link halves} to its output. A class that defines this
   * promises it of its `forward`, as with `rectifiesBefore`. Default: false.
   */
  get pools(): boolean {
    return false;
  }

  /** True if this layer is a max pool with windows of 2x2 side by side, which a layer that {@link pools} can apply. Default: false. */
  get halves(): boolean {
    return false;
  }

  abstract override forward(x: Tensor, options?: ForwardOptions): Tensor;
}

/** @internal Checks the options of a forward and returns its `relu`. */
export function wantsRelu(who: string, options: ForwardOptions | undefined): boolean {
  checkOptions(`${who}.forward`, options, checks);
  return options?.relu ?? false;
}
