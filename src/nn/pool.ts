import { checkOptions, checkValue } from '../checks/options.ts';
import { type AvgPool2dOptions, avgPool2d, avgPoolChecks } from '../ops/avgPool2d.ts';
import { maxPool2d } from '../ops/maxPool2d.ts';
import { mean } from '../ops/mean.ts';
import { reshape } from '../ops/reshape.ts';
import { type Pool2dOptions, poolChecks } from '../ops/shared/pool2d.ts';
import { showShape } from '../shape.ts';
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

  override get halves(): boolean {
    const { kernelSize, stride = kernelSize, padding = 0, ceilMode = false } = this.options;
    return kernelSize === 2 && stride === 2 && padding === 0 && !ceilMode;
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

/**
 * Takes the mean of each channel (`torch.nn.AdaptiveAvgPool2d(1)`, global average pooling). x: f32 [n, c, h, w]; y: f32 [n, c, 1, 1].
 */
export class AdaptiveAvgPool2d extends Module {
  /** @param outputSize height and width of the output: only 1 is supported */
  constructor(outputSize: 1) {
    super();
    checkValue('AdaptiveAvgPool2d', 'outputSize', outputSize, { wanted: '1 (use AvgPool2d)', holds: (n) => n === 1 });
  }

  forward(x: Tensor): Tensor {
    if (x.shape.length !== 4)
      throw new TypeError(`AdaptiveAvgPool2d: x must be [n, c, h, w] but is ${showShape(x.shape)}`);
    const [n, c, h, w] = x.shape as readonly number[] as [number, number, number, number];
    return reshape(mean(reshape(x, [n, c, h * w]), { dim: 2 }), [n, c, 1, 1]);
  }
}
