import { checkWhole } from '../checkNumbers.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { conv2d } from '../ops/conv2d.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { uniformParameter } from './init.ts';
import type { Parameter } from './parameter.ts';
import { RectifyingModule } from './rectifying.ts';

export interface Conv2dOptions {
  inChannels: number;
  outChannels: number;
  /** Height and width of the kernel. */
  kernelSize: number;
  stride?: number;
  padding?: number;
  dilation?: number;
  /** Whether something is added to each output channel: true by default. */
  bias?: boolean;
  /** Source of the initial weights. */
  random: Random;
}

/** Convolution of images, [n, inChannels, h, w] -> [n, outChannels, p, q] (`torch.nn.Conv2d`). */
export class Conv2d extends RectifyingModule {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  private readonly window: { stride: number; padding: number; dilation: number };

  constructor(
    gpu: Gpu,
    { inChannels, outChannels, kernelSize, stride = 1, padding = 0, dilation = 1, bias = true, random }: Conv2dOptions,
  ) {
    super();
    checkWhole('Conv2d', { inChannels, outChannels, kernelSize });
    this.window = { stride, padding, dilation };
    const fanIn = inChannels * kernelSize * kernelSize;
    this.weight = uniformParameter(gpu, [outChannels, inChannels, kernelSize, kernelSize], fanIn, random, 'weight');
    this.bias = bias ? uniformParameter(gpu, [outChannels], fanIn, random, 'bias') : null;
  }

  forward(x: Tensor, { relu = false }: { relu?: boolean } = {}): Tensor {
    return conv2d(x, this.weight, this.bias, { ...this.window, relu });
  }
}
