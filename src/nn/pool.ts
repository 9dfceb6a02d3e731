import { maxPool2d } from '../ops/maxPool2d.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface MaxPool2dOptions {
  /** Height and width of the window. */
  kernelSize: number;
  /** Between windows: as wide as the window by default. */
  stride?: number;
  padding?: number;
}

/** The largest of each window (`torch.nn.MaxPool2d`). x: [n, c, h, w]. */
export class MaxPool2d extends Module {
  constructor(private readonly options: MaxPool2dOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.options);
  }
}
