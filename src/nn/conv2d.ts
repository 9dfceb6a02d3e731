import { checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { conv2d } from '../ops/conv2d.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { aRandom, uniformParameter } from './init.ts';
import type { Parameter } from './parameter.ts';
import { type ForwardOptions, RectifyingModule } from './rectifying.ts';

export interface Conv2dOptions {
  /** Channels of the input. */
  inChannels: number;
  /** Channels of the output. */
  outChannels: number;
  /** Height and width of the kernel. */
  kernelSize: number;
  /** Stride in both directions. Default: 1. */
  stride?: number;
  /** Zero padding on each side of the image. Default: 0. */
  padding?: number;
  /** Dilation in both directions. Default: 1. */
  dilation?: number;
  /** Adds a learned bias to each output channel. Default: true. */
  bias?: boolean;
  /** Source of the initial weights. */
  random: Random;
}

const checks: OptionChecks<Conv2dOptions> = {
  inChannels: /* @__PURE__ */ wholeFrom(1),
  outChannels: /* @__PURE__ */ wholeFrom(1),
  kernelSize: /* @__PURE__ */ wholeFrom(1),
  stride: /* @__PURE__ */ wholeFrom(1),
  padding: /* @__PURE__ */ wholeFrom(0),
  dilation: /* @__PURE__ */ wholeFrom(1),
  bias: flag,
  random: aRandom,
};

export interface Conv2dForwardOptions extends ForwardOptions {
  /** Applies `MaxPool2d({ kernelSize: 2 })` to the output, before ReLU: on GPUs in the same dispatch. Default: false. */
  maxPool?: boolean;
}

const forwardChecks: OptionChecks<Conv2dForwardOptions> = { relu: flag, maxPool: flag };

/**
 * Convolves images (`torch.nn.Conv2d`). x: f32 [n, inChannels, h, w]; y: f32 [n, outChannels, p, q] with p = floor((h + 2 padding
 * - dilation (kernelSize - 1) - 1) / stride) + 1. `random` draws the initial weights as PyTorch's default does.
 */
export class Conv2d extends RectifyingModule {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  private readonly window: { stride: number; padding: number; dilation: number };

  constructor(gpu: Gpu, options: Conv2dOptions) {
    super();
    checkGpu('Conv2d', gpu);
    checkOptions('Conv2d', options, checks, ['inChannels', 'outChannels', 'kernelSize', 'random']);
    const { inChannels, outChannels, kernelSize, stride = 1, padding = 0, dilation = 1, bias = true, random } = options;
    this.window = { stride, padding, dilation };
    const fanIn = inChannels * kernelSize * kernelSize;
    this.weight = uniformParameter(gpu, [outChannels, inChannels, kernelSize, kernelSize], fanIn, random, 'weight');
    this.bias = bias ? uniformParameter(gpu, [outChannels], fanIn, random, 'bias') : null;
    this.noteParameters();
  }

  override get rectifiesBefore(): boolean {
    return false;
  }

  override get pools(): boolean {
    return true;
  }

  forward(x: Tensor, options?: Conv2dForwardOptions): Tensor {
    checkOptions('Conv2d.forward', options, forwardChecks);
    return conv2d(x, this.weight, this.bias, { ...this.window, ...options });
  }
}
