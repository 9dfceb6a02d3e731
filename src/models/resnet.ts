// ResNet (He et al. 2015) as torchvision builds it: the same layers, in the same order, under the same names, so its weights load.
//
//   images -> conv1 7x7 /2 -> bn1, ReLU -> 3x3 max pool /2 -> layer1 ... layer4 -> mean of each channel -> fc
//
// A layer is a row of blocks; the first block of layer2, 3 and 4 halves height and width. A block adds its input to what its
// convolutions make of it:
//
//   basic       y = ReLU(x + bn(conv3x3(ReLU(bn(conv3x3(x))))))                            ResNet-18, 34
//   bottleneck  y = ReLU(x + bn(conv1x1(ReLU(bn(conv3x3(ReLU(bn(conv1x1(x)))))))))         ResNet-50; 4 times the channels come out
//
// Where the shapes differ, a 1x1 convolution and a batch norm (`downsample`) bring x to the shape of y.
import { checkOptions, type OptionChecks, oneOf, orNull, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { AdaptiveAvgPool2d, BatchNorm2d, Flatten, Linear, MaxPool2d, Module, Sequential } from '../nn/index.ts';
import { aRandom, uniformParameter } from '../nn/init.ts';
import type { Parameter } from '../nn/parameter.ts';
import { add } from '../ops/add.ts';
import { conv2d } from '../ops/conv2d.ts';
import { relu } from '../ops/relu.ts';
import type { Random } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { Classifier, expectImages } from './classifier.ts';
import type { ModelGeometry, ModelSpec } from './model.ts';

export interface ResNetOptions {
  /** Kind of the blocks: `basic` in ResNet-18 and 34, `bottleneck` in ResNet-50. */
  block: 'basic' | 'bottleneck';
  /** Number of blocks in each of the four layers: [2, 2, 2, 2] in ResNet-18, [3, 4, 6, 3] in ResNet-34 and 50. */
  layers: readonly [number, number, number, number];
  /** Outputs of `fc`. null leaves `fc` out, so that the network gives the means of its last channels. */
  numClasses: number | null;
  /** Channels of the images. torchvision's weights need 3. Default: 3. */
  inChannels?: number;
  /** Generates the initial weights. */
  random: Random;
}

const checks: OptionChecks<ResNetOptions> = {
  block: /* @__PURE__ */ oneOf('basic', 'bottleneck'),
  layers: {
    wanted: 'four whole numbers >= 1, such as [2, 2, 2, 2]',
    holds: (value) =>
      Array.isArray(value) && value.length === 4 && value.every((n) => Number.isSafeInteger(n) && n > 0),
  },
  numClasses: /* @__PURE__ */ orNull(/* @__PURE__ */ wholeFrom(1)),
  inChannels: /* @__PURE__ */ wholeFrom(1),
  random: aRandom,
};

interface ConvolutionOptions {
  inChannels: number;
  outChannels: number;
  kernelSize: number;
  stride?: number;
  random: Random;
}

/**
 * A convolution without bias whose output has the size of its input, divided by the stride. Initial weights are uniform with variance
 * 2 / (outChannels kernelSize²), which is that of torchvision's normal distribution.
 */
class Convolution extends Module {
  readonly weight: Parameter;
  private readonly window: { stride: number; padding: number };

  constructor(gpu: Gpu, { inChannels, outChannels, kernelSize, stride = 1, random }: ConvolutionOptions) {
    super();
    this.window = { stride, padding: (kernelSize - 1) / 2 };
    // Uniform within ±sqrt(6 / fanOut), where fanOut is the number of outputs that an input reaches.
    const fanOut = outChannels * kernelSize * kernelSize;
    const shape = [outChannels, inChannels, kernelSize, kernelSize];
    this.weight = uniformParameter(gpu, shape, fanOut / 6, random, 'weight');
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, null, this.window);
  }
}

interface BlockOptions {
  inChannels: number;
  /** Channels inside the block. */
  channels: number;
  stride: number;
  random: Random;
}

/** Makes the convolution and the batch norm that bring x to the shape of y; null if it has that shape. */
function downsampleOf(gpu: Gpu, { inChannels, stride, random }: BlockOptions, outChannels: number): Sequential | null {
  if (stride === 1 && inChannels === outChannels) return null;
  return new Sequential(
    new Convolution(gpu, { inChannels, outChannels, kernelSize: 1, stride, random }),
    new BatchNorm2d(gpu, { numFeatures: outChannels }),
  );
}

/**
 * Returns ReLU(y + x), with x brought to the shape of y. Backward reads only the result, so the memory of y and of the sum is freed at
 * once. That saves a quarter of the memory for activations.
 */
function joined(y: Tensor, downsample: Sequential | null, x: Tensor): Tensor {
  const shortcut = downsample?.forward(x);
  const sum = add(y, shortcut ?? x);
  const output = relu(sum);
  for (const each of [y, shortcut, sum]) each?.dispose();
  return output;
}

class BasicBlock extends Module {
  readonly conv1: Convolution;
  readonly bn1: BatchNorm2d;
  readonly conv2: Convolution;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(gpu: Gpu, options: BlockOptions) {
    super();
    const { inChannels, channels: outChannels, stride, random } = options;
    this.conv1 = new Convolution(gpu, { inChannels, outChannels, kernelSize: 3, stride, random });
    this.bn1 = new BatchNorm2d(gpu, { numFeatures: outChannels });
    this.conv2 = new Convolution(gpu, { inChannels: outChannels, outChannels, kernelSize: 3, random });
    this.bn2 = new BatchNorm2d(gpu, { numFeatures: outChannels });
    this.downsample = downsampleOf(gpu, options, outChannels);
  }

  forward(x: Tensor): Tensor {
    const y = this.bn1.forward(this.conv1.forward(x), { relu: true });
    return joined(this.bn2.forward(this.conv2.forward(y)), this.downsample, x);
  }
}

class Bottleneck extends Module {
  readonly conv1: Convolution;
  readonly bn1: BatchNorm2d;
  readonly conv2: Convolution;
  readonly bn2: BatchNorm2d;
  readonly conv3: Convolution;
  readonly bn3: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(gpu: Gpu, options: BlockOptions) {
    super();
    const { inChannels, channels, stride, random } = options;
    const outChannels = channels * BLOCKS.bottleneck.expansion;
    this.conv1 = new Convolution(gpu, { inChannels, outChannels: channels, kernelSize: 1, random });
    this.bn1 = new BatchNorm2d(gpu, { numFeatures: channels });
    this.conv2 = new Convolution(gpu, { inChannels: channels, outChannels: channels, kernelSize: 3, stride, random });
    this.bn2 = new BatchNorm2d(gpu, { numFeatures: channels });
    this.conv3 = new Convolution(gpu, { inChannels: channels, outChannels, kernelSize: 1, random });
    this.bn3 = new BatchNorm2d(gpu, { numFeatures: outChannels });
    this.downsample = downsampleOf(gpu, options, outChannels);
  }

  forward(x: Tensor): Tensor {
    let y = this.bn1.forward(this.conv1.forward(x), { relu: true });
    y = this.bn2.forward(this.conv2.forward(y), { relu: true });
    return joined(this.bn3.forward(this.conv3.forward(y)), this.downsample, x);
  }
}

// A block puts out `expansion` times the channels that it has inside.
const BLOCKS = { basic: { Block: BasicBlock, expansion: 1 }, bottleneck: { Block: Bottleneck, expansion: 4 } };

/**
 * torchvision's `ResNet`. x: f32 [n, inChannels, h, w]; y: f32 [n, numClasses], or [n, outFeatures] if `numClasses` is null. Any
 * height and width are accepted; below 32 the last layers have only one pixel.
 */
export class ResNet extends Module {
  readonly conv1: Convolution;
  readonly bn1: BatchNorm2d;
  readonly maxpool: MaxPool2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool: Sequential;
  readonly fc: Linear | null;
  /** Number of channels after `layer4`. */
  readonly outFeatures: number;

  constructor(gpu: Gpu, options: ResNetOptions) {
    super();
    checkGpu('ResNet', gpu);
    checkOptions('ResNet', options, checks, ['block', 'layers', 'numClasses', 'random']);
    const { block, layers, numClasses, inChannels = 3, random } = options;
    const { Block, expansion } = BLOCKS[block];
    let channelsBefore = 64;
    const layer = (i: number, channels: number): Sequential => {
      const blocks = Array.from({ length: layers[i]! }, (_, k) => {
        const stride = i > 0 && k === 0 ? 2 : 1;
        const made = new Block(gpu, { inChannels: channelsBefore, channels, stride, random });
        channelsBefore = channels * expansion;
        return made;
      });
      return new Sequential(...blocks);
    };
    this.conv1 = new Convolution(gpu, { inChannels, outChannels: 64, kernelSize: 7, stride: 2, random });
    this.bn1 = new BatchNorm2d(gpu, { numFeatures: 64 });
    this.maxpool = new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
    this.layer1 = layer(0, 64);
    this.layer2 = layer(1, 128);
    this.layer3 = layer(2, 256);
    this.layer4 = layer(3, 512);
    this.avgpool = new Sequential(new AdaptiveAvgPool2d(1), new Flatten());
    this.outFeatures = channelsBefore;
    this.fc =
      numClasses === null ? null : new Linear(gpu, { inFeatures: channelsBefore, outFeatures: numClasses, random });
  }

  forward(x: Tensor): Tensor {
    const normal = this.bn1.forward(this.conv1.forward(x)); //  [n, 64, h/2, w/2]
    // ReLU after the pool is the same, and cheaper. Backward does not read what goes into the pool.
    let y = this.maxpool.forward(normal, { relu: true }); //    [n, 64, h/4, w/4]
    normal.dispose();
    y = this.layer1.forward(y);
    y = this.layer2.forward(y); //                         h/8
    y = this.layer3.forward(y); //                         h/16
    y = this.layer4.forward(y); //                         [n, outFeatures, h/32, w/32]
    y = this.avgpool.forward(y); //                        [n, outFeatures]
    return this.fc?.forward(y) ?? y;
  }
}

const BOTTLENECK = 256;

function geometryOf(expansion: number): ModelGeometry {
  return {
    check: (shape) => expectImages('ResNet', shape),
    largestBuffer(shape: Shape, rows: number): number {
      const pixelsAt = (divisor: number) => Math.ceil(shape[1]! / divisor) * Math.ceil(shape[2]! / divisor);
      // The images, the output of conv1, or that of layer1.
      return 4 * rows * Math.max(sizeOf(shape), 64 * pixelsAt(2), 64 * expansion * pixelsAt(4));
    },
  };
}

/** Returns a factory of classifiers on such a ResNet. @__NO_SIDE_EFFECTS__ */
function classifierOn({ block, layers }: Pick<ResNetOptions, 'block' | 'layers'>) {
  const geometry = geometryOf(BLOCKS[block].expansion);
  const make = (gpu: Gpu, { shape, numClasses, random }: ModelSpec): Classifier<ResNet> => {
    geometry.check(shape);
    const backbone = new ResNet(gpu, { block, layers, numClasses: null, inChannels: shape[0]!, random });
    const sizes = { backboneFeatures: backbone.outFeatures, featuresDim: BOTTLENECK, numClasses };
    return new Classifier(gpu, { backbone, ...sizes, random, geometry });
  };
  return Object.assign(make, { geometry });
}

/**
 * Makes a {@link Classifier} on ResNet-18, with a bottleneck of 256 features, as TLlib's examples use it: 11.3 million parameters.
 * Its backbone is named as in torchvision, so `loadWeights` takes torchvision's weights.
 */
export const resnet18 = /* @__PURE__ */ classifierOn({ block: 'basic', layers: [2, 2, 2, 2] });

/** Makes a {@link Classifier} on ResNet-34, as {@link resnet18}: 21.4 million parameters. */
export const resnet34 = /* @__PURE__ */ classifierOn({ block: 'basic', layers: [3, 4, 6, 3] });

/** Makes a {@link Classifier} on ResNet-50, as {@link resnet18}: 24.0 million parameters. */
export const resnet50 = /* @__PURE__ */ classifierOn({ block: 'bottleneck', layers: [3, 4, 6, 3] });
