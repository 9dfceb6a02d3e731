import { avgPool2d } from '../ops/avgPool2d.ts';
import { maxPool2d, type Pool2dOptions } from '../ops/maxPool2d.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';
import { RectifyingModule } from './rectifying.ts';

/** The largest of each window (`torch.nn.MaxPool2d`). x: [n, c, h, w]. */
export class MaxPool2d extends RectifyingModule {
  constructor(private readonly options: Pool2dOptions) {
    super();
  }

  override get rectifiesBefore(): boolean {
    return true;
  }

  forward(x: Tensor, { relu = false }: { relu?: boolean } = {}): Tensor {
    return maxPool2d(x, { ...this.options, relu });
  }
}

/** The mean of each window, padding counted as zeros (`torch.nn.AvgPool2d`). x: [n, c, h, w]. */
export class AvgPool2d extends Module {
  constructor(private readonly options: Pool2dOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }
}
