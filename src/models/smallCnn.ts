import { checkWhole } from '../checkNumbers.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } from '../nn/index.ts';
import type { ParameterGroup } from '../optim/index.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';

/** One convolution of a {@link SmallCnn}; a rectifier and a max-pool of 2 follow each. */
export interface ConvolutionOptions {
  outChannels: number;
  kernelSize: number;
  padding?: number;
}

export interface SmallCnnOptions {
  numClasses: number;
  /** Source of the initial weights. */
  random: Random;
  /** Height and width of the images: 28 by default. */
  imageSize?: number;
  /** Channels of the images: 1 by default. */
  inChannels?: number;
  /** By default 5x5 to 16 channels, then 5x5 to 32. */
  convolutions?: readonly ConvolutionOptions[];
  /** Length of the features: 128 by default. */
  featuresDim?: number;
}

/** What the network says of images, and what the discriminator sees of them. */
export interface SmallCnnOutput {
  /** [n, numClasses] */
  logits: Tensor;
  /** [n, featuresDim] */
  features: Tensor;
}

/**
 * A small network for images of digits: convolutions, a bottleneck of features, a linear head. Its parameters are named
 * as TLlib's `ImageClassifier` names them: `backbone.*`, `bottleneck.*`, `head.*`.
 *
 * x: [n, inChannels, imageSize, imageSize]
 */
export class SmallCnn extends Module<SmallCnnOutput> {
  readonly backbone: Sequential;
  readonly bottleneck: Sequential;
  readonly head: Linear;
  /** Length of the features. */
  readonly featuresDim: number;

  constructor(
    gpu: Gpu,
    {
      numClasses,
      random,
      imageSize = 28,
      inChannels = 1,
      convolutions = CONVOLUTIONS,
      featuresDim = 128,
    }: SmallCnnOptions,
  ) {
    super();
    checkWhole('SmallCnn', { numClasses, imageSize, inChannels, featuresDim });
    const size = convolutions.reduce(
      (size, { kernelSize, padding = 0 }) => Math.floor((size + 2 * padding - kernelSize + 1) / 2),
      imageSize,
    );
    if (size < 1) throw new RangeError(`SmallCnn: nothing is left of images of ${imageSize}; take larger ones`);
    const layers: Module[] = [];
    let channels = inChannels;
    for (const { outChannels, kernelSize, padding = 0 } of convolutions) {
      layers.push(
        new Conv2d(gpu, { inChannels: channels, outChannels, kernelSize, padding, random }),
        new ReLU(),
        new MaxPool2d({ kernelSize: 2 }),
      );
      channels = outChannels;
    }
    this.featuresDim = featuresDim;
    this.backbone = new Sequential(...layers, new Flatten());
    this.bottleneck = new Sequential(
      new Linear(gpu, { inFeatures: channels * size * size, outFeatures: featuresDim, random }),
      new BatchNorm1d(gpu, { numFeatures: featuresDim }),
      new ReLU(),
    );
    this.head = new Linear(gpu, { inFeatures: featuresDim, outFeatures: numClasses, random });
  }

  forward(x: Tensor): SmallCnnOutput {
    const features = this.bottleneck.forward(this.backbone.forward(x));
    return { logits: this.head.forward(features), features };
  }

  /**
   * Parameter groups as of TLlib's `get_parameters`: times `baseLr`, and a tenth of it for the backbone where `finetune`
   * (true by default) says that it was trained before.
   */
  getParameters({ baseLr = 1, finetune = true }: { baseLr?: number; finetune?: boolean } = {}): ParameterGroup[] {
    return [
      { params: this.backbone.parameters(), lrMultiplier: finetune ? 0.1 * baseLr : baseLr },
      { params: this.bottleneck.parameters(), lrMultiplier: baseLr },
      { params: this.head.parameters(), lrMultiplier: baseLr },
    ];
  }
}

const CONVOLUTIONS: readonly ConvolutionOptions[] = [
  { outChannels: 16, kernelSize: 5 },
  { outChannels: 32, kernelSize: 5 },
];
