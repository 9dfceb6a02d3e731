import { checkOptions } from '../checks/options.ts';
import { type AvgPool2dOptions, avgPool2d, avgPoolChecks } from '../ops/avgPool2d.ts';
import { maxPool2d } from '../ops/maxPool2d.ts';
import { type Pool2dOptions, poolChecks } from '../ops/shared/pool2d.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';
import { type ForwardOptions, RectifyingModule, wantsRelu } from './rectifying.ts';

const maxPoolChecks = /* @__PURE__ */ poolChecks<object>({});

/**
 * Takes the largest value of each window (`torch.nn.MaxPool2d`). x: f32 [n, c, h, w]; y: f32 [n, c, p, q], as `maxPool2d`.
 */
export class MaxPool2d extends RectifyingModule {
  constructor(private readonly options: Pool2dOptions) {
    super();
    checkOptions('MaxPool2d', options, maxPoolChecks, ['kernelSize']);
  }

  override get rectifiesBefore(): boolean {
    return true;
  }

  forward(x: Tensor, options?: ForwardOptions): Tensor {
    return maxPool2d(x, { ...this.options, relu: wantsRelu('MaxPool2d', options) });
  }
}

/** Takes the mean of each window (`torch.nn.AvgPool2d`). x: f32 [n, c, h, w]; y: f32 [n, c, p, q], as `avgPool2d`. */
export class AvgPool2d extends Module {
  constructor(private readonly options: AvgPool2dOptions) {
    super();
    checkOptions('AvgPool2d', options, avgPoolChecks, ['kernelSize']);
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }
}
