import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

/** A layer whose kernel can compute the ReLU of its own output: `forward(x, { relu: true })`. */
export abstract class RectifyingModule extends Module {
  /**
   * Whether a ReLU before the layer gives the same as one after it: true for a largest value, false for a sum. A class that
   * defines it says that its `forward` obeys `relu`; a subclass with another `forward` is called without options.
   */
  abstract get rectifiesBefore(): boolean;

  abstract override forward(x: Tensor, options?: { relu?: boolean }): Tensor;
}
