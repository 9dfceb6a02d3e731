import { atLeast, checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { ParameterGroup } from '../optim/index.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';

/** One convolution of a {@link SmallCnn}; a ReLU and a max-pool of 2 follow each. */
export interface ConvolutionOptions {
  outChannels: number;
  kernelSize: number;
  /** Default: 0. */
  padding?: number;
}

export interface SmallCnnOptions {
  numClasses: number;
  /** Source of the initial weights. */
  random: Random;
  /** Height and width of the images. Default: 28. */
  imageSize?: number;
  /** Channels of the images. Default: 1. */
  inChannels?: number;
  /** Default: 5x5 to 16 channels, then 5x5 to 32. */
  convolutions?: readonly ConvolutionOptions[];
  /** Length of the features. Default: 128. */
  featuresDim?: number;
}

const checks: OptionChecks<SmallCnnOptions> = {
  numClasses: /* @__PURE__ */ wholeFrom(1),
  random: aRandom,
  imageSize: /* @__PURE__ */ wholeFrom(1),
  inChannels: /* @__PURE__ */ wholeFrom(1),
  convolutions: { wanted: 'an array of convolutions', holds: Array.isArray },
  featuresDim: /* @__PURE__ */ wholeFrom(1),
};
const convolutionChecks: OptionChecks<ConvolutionOptions> = {
  outChannels: /* @__PURE__ */ wholeFrom(1),
  kernelSize: /* @__PURE__ */ wholeFrom(1),
  padding: /* @__PURE__ */ wholeFrom(0),
};
const groupChecks: OptionChecks<{ baseLr?: number; finetune?: boolean }> = {
  baseLr: /* @__PURE__ */ atLeast(0),
  finetune: flag,
};

/** Predictions for images, and the features that the discriminator gets. */
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

  constructor(gpu: Gpu, options: SmallCnnOptions) {
    super();
    checkGpu('SmallCnn', gpu);
    checkOptions('SmallCnn', options, checks, ['numClasses', 'random']);
    const {
      numClasses,
      random,
      imageSize = 28,
      inChannels = 1,
      convolutions = CONVOLUTIONS,
      featuresDim = 128,
    } = options;
    for (const [i, convolution] of convolutions.entries())
      checkOptions(`SmallCnn: convolutions[${i}]`, convolution, convolutionChecks, ['outChannels', 'kernelSize']);
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
   * Returns the parameter groups of TLlib's `get_parameters`. `baseLr` multiplies the learning rate of all (default: 1), and
   * `finetune` (default: true) divides that of the backbone by 10, as for one that was trained before.
   */
  getParameters(options: { baseLr?: number; finetune?: boolean } = {}): ParameterGroup[] {
    checkOptions('getParameters', options, groupChecks);
    const { baseLr = 1, finetune = true } = options;
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
