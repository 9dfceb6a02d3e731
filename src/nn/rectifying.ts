import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

/** A layer whose kernel can rectify its own output on the way to memory. */
export abstract class RectifyingModule extends Module {
  abstract override forward(x: Tensor, options?: { relu?: boolean }): Tensor;
}
