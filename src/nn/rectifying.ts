import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

/** A layer whose kernel can rectify its own output on the way to memory. */
export abstract class RectifyingModule extends Module {
  /** Whether a rectifier before it comes to the same as one after it: of a largest value, not of a sum. */
  get rectifiesBefore(): boolean {
    return false;
  }

  abstract override forward(x: Tensor, options?: { relu?: boolean }): Tensor;
}
